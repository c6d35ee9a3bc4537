"""Generalised Dice."""

from __future__ import annotations

import torch
from torch import Tensor

import losses
from losses.domains import choice
from losses.region import RegionLoss, ratio
from losses.soft_counts import SoftCounts

_ABSENT = ("largest_finite", "zero")


@losses.register("generalized_dice")
class GeneralizedDice(RegionLoss):
    """Generalised Dice: one ratio over all classes, each weighted by the inverse square of its volume.

    L = mean over samples of 1 − 2·Σ_c w_c·Σpg / Σ_c w_c·(Σp + Σg),  w_c = 1 / (Σg_c)²

    logits (B, C, *S), labels (B, *S); 0 ≤ L ≤ 1, 0 at a perfect mask. The background is one of the classes: without
    it the weights of two classes would cancel and leave Dice. Weights differ by (n_bg / n_fg)², 1e4 and more for
    lesions, so where every class is present L is close to the Dice of the rarest. `batch`: see `RegionLoss`.

    What makes generalised Dice losses differ is the weight of a class that is absent from a sample (w = 1/0):
      - absent_class_weight="largest_finite": the largest weight of the classes that are there. On an empty target the
        foreground weighs as much as the background, whose volume is huge, so false positives cost little:
        L = 1 − 2·Σp_bg / (2·N) for two classes and N voxels.
      - absent_class_weight="zero": the class leaves both sums; an empty target then leaves the background's Dice.
    C > 2: all classes share the ratio.

    Raises `LossError` for another `absent_class_weight`, and for a `batch` that is no boolean.

    Source: Sudre et al. 2017 (arXiv 1707.03237), which leaves absent classes open. "largest_finite" is MONAI's and
    NiftyNet's rule. Deviations from other code: no smoothing – MONAI's 1e-5 outweighs the weighted sums for lesions
    above some 1e5 voxels and on empty targets; no 1/(n + 1e-10)², under which an absent class decides alone.
    """

    def __init__(self, *, absent_class_weight: str = "largest_finite", batch: bool = False) -> None:
        super().__init__(include_background=True, batch=batch)
        self.absent_class_weight = choice(self.name, "absent_class_weight", absent_class_weight, _ABSENT)

    def per_class(self, counts: SoftCounts) -> Tensor:
        weight = self._weight(counts.target)
        overlap = (weight * counts.overlap).sum(1, keepdim=True)
        volumes = (weight * (counts.predicted + counts.target)).sum(1, keepdim=True)
        return 1 - ratio(2 * overlap, volumes, 0.0)

    def _weight(self, target: Tensor) -> Tensor:
        """Weights relative to that of the rarest class present, so that no square overflows."""
        absent = target == 0
        rarest = target.masked_fill(absent, torch.inf).amin(1, keepdim=True)
        rarest = rarest.masked_fill(rarest.isinf(), 1)  # a sample without weight, which is no sample
        weight = (rarest / target.masked_fill(absent, 1)).square()
        return weight.masked_fill(absent, 1.0 if self.absent_class_weight == "largest_finite" else 0.0)
