"""The cross entropies that carry the name "weighted": class weights, U-Net's pixel map and Sudre's adaptive weight."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from . import maps
from .cross_entropy import voxel_cross_entropy
from .one_hot import counted, counted_probabilities, log_probabilities, truth


def inverse(frequencies: Sequence[float]) -> list[float]:
    """w_l = Σf / f_l."""
    return [sum(frequencies) / f for f in frequencies]


def inverse_sqrt(frequencies: Sequence[float]) -> list[float]:
    """w_l = (Σf / f_l)^½."""
    return [(sum(frequencies) / f) ** 0.5 for f in frequencies]


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Σ w·ce / Σ w."""
    return (weights * values).sum() / weights.sum()


def class_weight_of_voxels(labels: Tensor, class_weights: Sequence[float]) -> Tensor:
    """(B, *S): the weight of each voxel's true class, 0 where the label is -1."""
    return sum(w * truth(labels, len(class_weights))[:, c] for c, w in enumerate(class_weights))


def class_weighted(logits: Tensor, labels: Tensor, *, class_weights: Sequence[float]) -> Tensor:
    """One weight per class."""
    return weighted_mean(voxel_cross_entropy(logits, labels), class_weight_of_voxels(labels, class_weights))


def unet_border(logits: Tensor, labels: Tensor, *, class_weights: Sequence[float]) -> Tensor:
    """w(x) = w_c(x) + w0 exp(-(d1 + d2)² / 2σ²), d1 and d2 to the lesions of one class.

    Beyond the sheet, as the loss documents it: the largest of all classes.
    """
    border = maps.per_class(maps.border, labels, logits.shape[1]).max(dim=1).values * counted(labels)
    weights = class_weight_of_voxels(labels, class_weights) + border
    return weighted_mean(voxel_cross_entropy(logits, labels), weights)


def adaptive(logits: Tensor, labels: Tensor) -> Tensor:
    """Sudre: -(1/N) Σ [w g ln p + (1 - g) ln(1 - p)], w = (N - Σp) / Σp of the prediction, over the whole batch.

    The gradient flows through w. Beyond the sheet, as the loss documents it: for C > 2 each foreground class has its
    own w and the background 1; Σp is at least one voxel.
    """
    voxels, g = counted(labels).sum(), truth(labels, logits.shape[1])
    log_p = log_probabilities(logits)
    summed = (g[:, 0] * log_p[:, 0]).sum()
    for c in range(1, logits.shape[1]):
        predicted = counted_probabilities(logits, labels)[:, c].sum()
        summed = summed + (voxels - predicted) / predicted.clamp(min=1) * (g[:, c] * log_p[:, c]).sum()
    return -summed / voxels
