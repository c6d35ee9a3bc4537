"""Focal: the mean of -α_t (1 - p_t)^γ ln p_t, α on the foreground classes and 1 - α on the background."""

from __future__ import annotations

import torch
from torch import Tensor

from .one_hot import counted, probabilities, true_log_probability, truth


def voxel_focal(logits: Tensor, labels: Tensor, exponent: float, foreground_weight: float) -> Tensor:
    """(B, *S); 0 where the label is -1."""
    g = truth(labels, logits.shape[1])
    p_t = (g * probabilities(logits)).sum(dim=1)
    alpha = (1 - foreground_weight) * g[:, 0] + foreground_weight * g[:, 1:].sum(dim=1)
    return -alpha * (1 - p_t) ** exponent * true_log_probability(logits, labels)


def focal(
    logits: Tensor,
    labels: Tensor,
    *,
    exponent: float = 2.0,
    foreground_weight: float = 0.75,
    weights: Tensor | None = None,
) -> Tensor:
    """The mean; `weights` (B, *S) multiplies each voxel and does not enter the divisor."""
    w = torch.ones_like(logits[:, 0]) if weights is None else weights
    return (w * voxel_focal(logits, labels, exponent, foreground_weight)).sum() / counted(labels).sum()
