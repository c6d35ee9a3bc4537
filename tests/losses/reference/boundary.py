"""Losses on distances of the truth: boundary, one-sided Hausdorff by distance transform, region-wise."""

from __future__ import annotations

from torch import Tensor

from . import maps
from .one_hot import counted, counted_probabilities, truth


def _mean(values: Tensor, labels: Tensor) -> Tensor:
    """The mean of (B, C - 1, *S) over the voxels that count and the foreground classes."""
    return (values * counted(labels)[:, None]).sum() / (counted(labels).sum() * values.shape[1])


def boundary(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean of p · SDF, foreground only; SDF > 0 outside, -(D - 1) inside, 0 for an absent class."""
    p = counted_probabilities(logits, labels)[:, 1:]
    return _mean(p * maps.per_class(maps.signed_distance, labels, logits.shape[1]), labels)


def hausdorff_dt(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean of (p - g)² d², d the distance from the reference's surface (inside + outside), foreground only."""
    p, g = counted_probabilities(logits, labels)[:, 1:], truth(labels, logits.shape[1])[:, 1:]
    return _mean((p - g) ** 2 * maps.per_class(maps.both_sides_distance, labels, logits.shape[1]) ** 2, labels)


def region_wise(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over voxels of Σ_c p_c · map_c, the map -D / max D inside and +1 outside, foreground classes."""
    p = counted_probabilities(logits, labels)[:, 1:]
    return (p * maps.per_class(maps.region_wise, labels, logits.shape[1])).sum() / counted(labels).sum()
