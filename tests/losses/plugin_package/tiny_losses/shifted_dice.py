"""Shifted Dice."""

from __future__ import annotations

from torch import Tensor

from losses.region import RegionLoss, ratio, smoothing
from losses.soft_counts import SoftCounts


class ShiftedDice(RegionLoss):
    """Soft Dice raised by a constant, which changes no gradient.

    L = shift + 1 − (2·Σpg + smooth) / (Σp + Σg + smooth), mean over samples and foreground classes

    logits (B, C, *S), labels (B, *S); L ≥ shift. An empty target gives shift + Σp / (Σp + smooth).
    Raises `LossError` for `smooth` < 0.
    """

    def __init__(self, *, shift: float = 1.0, smooth: float = 1e-5) -> None:
        super().__init__(include_background=False, batch=False)
        self.shift, self.smooth = shift, smoothing(self.name, smooth)

    def per_class(self, counts: SoftCounts) -> Tensor:
        return self.shift + 1 - ratio(2 * counts.overlap, counts.predicted + counts.target, self.smooth)
