"""Dice of every class, weighted by how rare the class is in the batch."""

from __future__ import annotations

from torch import Tensor

import losses
from losses.region import RegionLoss, ratio, smoothing
from losses.soft_counts import SoftCounts


@losses.register("frequency_weighted_dice")
class FrequencyWeightedDice(RegionLoss):
    """Frequency-weighted Dice: background and foreground together, each weighted by the frequency of the others.

    L = 1 − Σ_c w_c·(2·Σpg + smooth) / (Σp + Σg + smooth),  w_c = (1 − f_c) / (C − 1),  f_c = Σg_c / Σ_k Σg_k

    Sums run over the whole batch, −1 left out; the weights add up to 1 and have no gradient.

    logits (B, C, *S), labels (B, *S); 0 ≤ L ≤ 1, 0 at a perfect mask. For small lesions w of the foreground is near 1,
    so L is nearly the foreground's batch Dice. An empty target gives w = 1 to the foreground: Σp / (Σp + smooth).
    C > 2: the background and every class that is rare have about the same weight; Li et al. have two classes only.

    Raises `LossError` for `smooth` < 0.

    Source: the class `DiceLoss` in the published code of Li et al. 2021 (TumorNet.py), their baseline "Dice", which
    the paper does not describe: for two classes 1 − (w_bg·D_bg + w_fg·D_fg), w_bg the batch's share of foreground.
    Deviations: C > 2. Trap: it is called Dice there, but is not the Dice of `dice`.
    """

    def __init__(self, *, smooth: float = 1e-5) -> None:
        super().__init__(include_background=True, batch=True)
        self.smooth = smoothing(self.name, smooth)

    def per_class(self, counts: SoftCounts) -> Tensor:
        scores = ratio(2 * counts.overlap, counts.predicted + counts.target, self.smooth)
        whole = counts.target.sum(1, keepdim=True)
        frequency = counts.target / whole.masked_fill(whole == 0, 1)
        weight = (1 - frequency) / (counts.target.shape[1] - 1)
        return 1 - (weight * scores).sum(1, keepdim=True)
