"""Tversky loss."""

from __future__ import annotations

from torch import Tensor

import losses
from losses.domains import number
from losses.errors import LossError
from losses.region import RegionLoss, ratio, smoothing
from losses.soft_counts import SoftCounts


@losses.register("tversky")
class Tversky(RegionLoss):
    """Tversky loss: Dice with separate prices for false positives and false negatives.

    L = mean over samples and foreground classes of
        1 − (TP + smooth) / (TP + fp_weight·FP + fn_weight·FN + smooth),  TP = Σpg, FP = Σp(1−g), FN = Σ(1−p)g

    logits (B, C, *S), labels (B, *S); 0 ≤ L ≤ 1, 0 at a perfect mask; fp_weight = fn_weight = 0.5 is Dice with twice
    the smoothing. An empty target gives fp_weight·Σp / (fp_weight·Σp + smooth). C > 2: the mean over foreground
    classes, absent ones included. `batch`: see `RegionLoss`.

    Raises `LossError` for weights or `smooth` < 0, or both weights 0.

    Source: Salehi et al. 2017 (arXiv 1706.05721), whose α = .3 is the weight of false positives and β = .7 that of
    false negatives; other papers swap the letters, hence the names here. Deviations: `smooth`, and the mean over
    samples in place of one ratio per batch (`batch=True`). Foreground only: in the background's ratio the two errors
    change places, so including it would undo the asymmetry; one ratio
    pooled over both channels of a softmax ignores the split altogether.
    """

    def __init__(
        self, *, fp_weight: float = 0.3, fn_weight: float = 0.7, smooth: float = 1e-5, batch: bool = False
    ) -> None:
        super().__init__(include_background=False, batch=batch)
        self.fp_weight = number(self.name, "fp_weight", fp_weight, at_least=0)
        self.fn_weight = number(self.name, "fn_weight", fn_weight, at_least=0)
        self.smooth = smoothing(self.name, smooth)
        if self.fp_weight + self.fn_weight == 0:
            raise LossError(f"{self.name}: fp_weight and fn_weight are both 0, so no error would cost anything")

    def per_class(self, counts: SoftCounts) -> Tensor:
        false_positive = counts.predicted - counts.overlap
        false_negative = counts.target - counts.overlap
        errors = self.fp_weight * false_positive + self.fn_weight * false_negative
        return 1 - ratio(counts.overlap, counts.overlap + errors, self.smooth)
