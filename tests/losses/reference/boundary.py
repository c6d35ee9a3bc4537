"""Losses on distances of the truth: boundary, one-sided Hausdorff by distance transform, region-wise."""

from __future__ import annotations

import numpy as np
import torch
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
    """Mean over voxels and all classes (c = 0 is one) of p_c · map_c, the map -D / max D inside and +1 outside.

    Beyond the sheet, as the loss documents it: also the mean over classes; -1 where all is background.
    """
    p = counted_probabilities(logits, labels)
    target = torch.stack([(labels == c) for c in range(logits.shape[1])], dim=1)
    target[:, 0] |= labels == -1  # an ignored voxel counts as background in every map
    rectified = [
        [maps.region_wise(mask.numpy(), ignored, c == 0) for c, mask in enumerate(sample)]
        for sample, ignored in zip(target, (labels == -1).numpy(), strict=True)
    ]
    return (p * torch.from_numpy(np.array(rectified))).sum() / (counted(labels).sum() * logits.shape[1])
