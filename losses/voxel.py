"""Voxel losses: a cost per voxel, averaged over the voxels that are not ignored."""

from __future__ import annotations

import torch
from torch import Tensor


def equals(labels: Tensor, label: int, like: Tensor) -> Tensor:
    """1.0 where the label is `label`, 0.0 elsewhere, in the precision of `like`; one pass, no boolean mask."""
    return torch.eq(labels, label, out=like.new_empty(labels.shape))


def valid(labels: Tensor, like: Tensor) -> Tensor:
    """1.0 where the label is not ignored, 0.0 at −1, in the precision of `like`."""
    return torch.ge(labels, 0, out=like.new_empty(labels.shape))


def mean_over(voxels: Tensor, summed: Tensor) -> Tensor:
    """A sum over voxels divided by how many are valid, over the whole batch; a sum over none is 0 and stays 0.

    Voxel weights belong into the sum only: doubling every weight doubles the loss.
    """
    return summed / voxels.sum().clamp(min=1)
