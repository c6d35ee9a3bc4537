"""Voxel losses: the mean of a cost per voxel, over the voxels that are not ignored."""

from __future__ import annotations

from torch import Tensor

from losses.base import IGNORED


def voxel_mean(cost: Tensor, labels: Tensor, voxel_weight: Tensor | None) -> Tensor:
    """Σ w·cost / number of voxels not labelled −1, over the whole batch; 0 where every voxel is ignored.

    cost (B, *S) holds 0 at ignored voxels. Weights multiply costs and do not enter the number of voxels.
    """
    summed = cost.sum() if voxel_weight is None else (cost * voxel_weight.to(cost.dtype)).sum()
    return summed / (labels != IGNORED).sum().clamp(min=1)
