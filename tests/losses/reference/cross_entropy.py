"""Cross entropy: the mean of -ln p of the true class over the voxels that count."""

from __future__ import annotations

import torch
from torch import Tensor

from .one_hot import counted, log_probabilities, truth


def voxel_cross_entropy(logits: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """(B, *S): -Σ_c t_c ln p_c, the target t = (1 - s) one-hot + s / C; 0 where the label is -1."""
    classes = logits.shape[1]
    target = (1 - label_smoothing) * truth(labels, classes) + label_smoothing / classes
    return -(target * log_probabilities(logits)).sum(dim=1) * counted(labels)


def cross_entropy(
    logits: Tensor, labels: Tensor, *, label_smoothing: float = 0.0, weights: Tensor | None = None
) -> Tensor:
    """The mean; `weights` (B, *S) multiplies each voxel and does not enter the divisor."""
    w = torch.ones_like(logits[:, 0]) if weights is None else weights
    return (w * voxel_cross_entropy(logits, labels, label_smoothing)).sum() / counted(labels).sum()
