"""Exponential-logarithmic loss."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

import losses
from losses.domains import number
from losses.errors import LossError
from losses.labels import voxels
from losses.region import POWER_FLOOR, RegionLoss, bounded_power, ratio
from losses.soft_counts import SoftCounts
from losses.statistics import Statistics, class_weights
from losses.voxel import voxel_sum


@losses.register("exp_log")
class ExpLog(RegionLoss):
    """Exponential-logarithmic loss: powers of the negative logarithms of Dice and of the true class's probability.

    L = dice_weight·mean over samples and classes of (−ln Dice_c)^exponent
        + cross_entropy_weight·mean over voxels of w_true·(−ln p_true)^exponent,
        Dice_c = (2·Σpg + smooth) / (Σp + Σg + smooth),  w_c = (1 / f_c)^½, f_c the frequency of class c

    logits (B, C, *S), labels (B, *S); L ≥ 0 and unbounded, 0 at a perfect mask. The background is one of the classes.
    An empty target gives −ln(smooth / (Σp + smooth)) for the absent class, so false positives count by the logarithm
    of their volume. With every voxel ignored L = 0. Voxels labelled −1 count in no sum. C > 2: as written.
    Frequencies come from the training set through `prepare(statistics)`; `weights` shows what they became.

    Trap: the slope of x^0.3 at 0 is infinite. Below x = 1e-6 the power is replaced by its chord from 0, so slopes stay
    finite and a perfect mask costs 0.

    Raises `LossError` for a weight < 0, both weights 0, exponent ≤ 0 or smooth ≤ 0 (the logarithm of 0), when used
    before `prepare` or with another number of classes, and for a class that the training set does not have.

    Source: Wong et al. 2018 (arXiv 1809.00076), equations 1–4, with their weights .8 and .2, γ = 0.3 and ε = 1.
    Deviations: the chord; one sample at a time (their batch is 1). Other code under this name (SegLossOdyssey) takes
    the logarithm of the mean Dice, has no power on the cross entropy and leaves the background out.
    """

    def __init__(
        self,
        *,
        dice_weight: float = 0.8,
        cross_entropy_weight: float = 0.2,
        exponent: float = 0.3,
        smooth: float = 1.0,
    ) -> None:
        super().__init__(include_background=True, batch=False)
        self.dice_weight = number(self.name, "dice_weight", dice_weight, at_least=0)
        self.cross_entropy_weight = number(self.name, "cross_entropy_weight", cross_entropy_weight, at_least=0)
        self.exponent = number(self.name, "exponent", exponent, above=0)
        self.smooth = number(self.name, "smooth", smooth, above=0)
        self.weights: tuple[float, ...] | None = None
        if self.dice_weight + self.cross_entropy_weight == 0:
            raise LossError(f"{self.name}: dice_weight and cross_entropy_weight are both 0: nothing to minimise")

    @property
    def class_weights(self) -> tuple[float, ...] | None:
        return self.weights

    def prepare(self, statistics: Statistics) -> None:
        self.weights = statistics.inverse_frequencies(self.name, power=0.5)

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        weight = class_weights(self.name, self.weights, logits)
        dice = super().compute(logits, labels, maps, voxel_weight)
        summed = voxel_sum(logits, labels, self._power, class_weight=weight, voxel_weight=voxel_weight)
        return self.dice_weight * dice + self.cross_entropy_weight * summed / voxels(labels, summed).clamp(min=1)

    def per_class(self, counts: SoftCounts) -> Tensor:
        dice = ratio(2 * counts.overlap, counts.predicted + counts.target, self.smooth)
        return bounded_power(-dice.log(), self.exponent)

    def _power(self, x: Tensor, rest: Tensor) -> tuple[Tensor, Tensor]:
        """x^exponent and its slope, with the chord of `bounded_power`."""
        if self.exponent >= 1:
            return x.pow(self.exponent), x.pow(self.exponent - 1).mul_(self.exponent)
        chord = POWER_FLOOR ** (self.exponent - 1)
        small = x < POWER_FLOOR
        above = x.clamp(min=POWER_FLOOR)
        value = above.pow(self.exponent)
        slope = (value / above).mul_(self.exponent).masked_fill_(small, chord)
        return torch.where(small, x * chord, value), slope
