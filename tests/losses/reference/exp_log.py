"""Exponential-logarithmic: .8 E_c[(-ln Dice_c)^γ] + .2 E_x[w (-ln p)^γ], w = (Σf / f_l)^½, background included."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from .dice import soft_dice
from .one_hot import counted, counted_probabilities, mean, true_log_probability, truth
from .weighted_cross_entropy import class_weight_of_voxels, inverse_sqrt

LEAST = 1e-6


def exp_log(
    logits: Tensor,
    labels: Tensor,
    *,
    class_frequencies: Sequence[float],
    dice_weight: float = 0.8,
    cross_entropy_weight: float = 0.2,
    exponent: float = 0.3,
    smooth: float = 1.0,
    least: float = LEAST,
) -> Tensor:
    """The powers act on each sample's class and on each voxel; -ln is clamped from below (x^γ is steep at 0)."""
    p, g = counted_probabilities(logits, labels), truth(labels, logits.shape[1])
    scores = [soft_dice(p[b, c], g[b, c], smooth) for b in range(len(labels)) for c in range(logits.shape[1])]
    dice_part = mean([(-score.log()).clamp(min=least) ** exponent for score in scores])
    weights = class_weight_of_voxels(labels, inverse_sqrt(class_frequencies))
    voxels = weights * (-true_log_probability(logits, labels)).clamp(min=least) ** exponent
    return dice_weight * dice_part + cross_entropy_weight * voxels.sum() / counted(labels).sum()
