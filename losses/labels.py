"""Labels as the counting primitives read them: small, and asked once whether any voxel is ignored."""

from __future__ import annotations

import torch
from torch import Tensor


def compact(labels: Tensor, channels: int) -> Tensor:
    """Labels as int8 where that is worth a pass: on the CPU they are read once per class, so the smaller the faster."""
    return labels.to(torch.int8) if labels.is_cpu and channels <= 127 else labels


def may_hold_ignored(labels: Tensor) -> bool:
    """Whether to look for −1. A device would be stalled by the question, so there the answer is always yes."""
    return bool(labels.min() < 0) if labels.is_cpu else True


def equals(labels: Tensor, label: int, like: Tensor) -> Tensor:
    """1.0 where the label is `label`, 0.0 elsewhere, in the precision of `like`; one pass, no boolean mask."""
    return torch.eq(labels, label, out=like.new_empty(labels.shape))


def valid(labels: Tensor, like: Tensor) -> Tensor:
    """1.0 where the label is not ignored, 0.0 at −1, in the precision of `like`."""
    return torch.ge(labels, 0, out=like.new_empty(labels.shape))


def voxels(labels: Tensor, like: Tensor) -> Tensor:
    """How many voxels are not ignored, () in the precision of `like`."""
    return torch.count_nonzero(labels >= 0).to(like.dtype)


def class_voxels(labels: Tensor, classes: int, like: Tensor) -> Tensor:
    """How many voxels each class has, (C,) in the precision of `like`; −1 is in none."""
    return torch.stack([torch.count_nonzero(labels == c) for c in range(classes)]).to(like.dtype)


def precision(logits: Tensor) -> torch.dtype:
    """In what a loss of these logits is computed: float64 stays, everything else becomes float32."""
    return torch.float64 if logits.dtype == torch.float64 else torch.float32


def dot(one: Tensor, other: Tensor) -> Tensor:
    """Σ one·other over all voxels."""
    return torch.dot(one.reshape(-1), other.reshape(-1))
