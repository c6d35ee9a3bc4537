"""Soft Dice."""

from __future__ import annotations

from torch import Tensor

import losses
from losses.region import RegionLoss, ratio, smoothing
from losses.soft_counts import SoftCounts


@losses.register("dice")
class Dice(RegionLoss):
    """Soft Dice: one minus twice the overlap over the sum of both volumes.

    L = mean over samples and classes of 1 − (2·Σpg + smooth) / (Σp + Σg + smooth), or with Σp² + Σg² when `squared`.

    logits (B, C, *S), labels (B, *S); 0 ≤ L ≤ 1, 0 at a perfect mask. An empty target gives Σp / (Σp + smooth):
    near 1 for any false positive volume and 0 only once Σp is far below `smooth` – with a large `smooth` (say 1) small
    lesions and false positives weigh less. C > 2: the mean over foreground classes, absent ones included.
    `include_background`, `batch` (pool the samples first): see `RegionLoss`.

    Raises `LossError` for `smooth` < 0 and for flags that are not booleans.

    Source: Milletari et al. 2016 (arXiv 1606.04797) with the squared denominator; the linear one is the common form.
    Deviations: `smooth`, which the paper lacks; the defaults are nnU-Net's: foreground only, linear, 1e-5 in numerator
    and denominator. nnU-Net returns the negative score, MONAI includes the background unless told not to.
    """

    def __init__(
        self, *, include_background: bool = False, batch: bool = False, squared: bool = False, smooth: float = 1e-5
    ) -> None:
        super().__init__(include_background=include_background, batch=batch, squared=squared)
        self.smooth = smoothing(self.name, smooth)

    def per_class(self, counts: SoftCounts) -> Tensor:
        return 1 - ratio(2 * counts.overlap, counts.predicted + counts.target, self.smooth)
