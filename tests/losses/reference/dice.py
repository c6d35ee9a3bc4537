"""Soft Dice: 1 - (2 Σpg + ε) / (Σp + Σg + ε), foreground classes, per sample and class, then the mean."""

from __future__ import annotations

import torch
from torch import Tensor

from .one_hot import counted_probabilities, mean, truth


def soft_dice(p: Tensor, g: Tensor, smooth: float, squared: bool = False) -> Tensor:
    """The Dice of two arrays of any one shape; with `squared` the denominator is Σp² + Σg²."""
    volume = (p * p).sum() + (g * g).sum() if squared else p.sum() + g.sum()
    return (2 * (p * g).sum() + smooth) / (volume + smooth)


def dice(
    logits: Tensor,
    labels: Tensor,
    *,
    include_background: bool = False,
    batch: bool = False,
    squared: bool = False,
    smooth: float = 1e-5,
    weights: Tensor | None = None,
) -> Tensor:
    """The loss; `weights` (B, *S) multiplies every voxel of every sum."""
    p = counted_probabilities(logits, labels)
    g = truth(labels, logits.shape[1])
    w = torch.ones_like(p[:, 0]) if weights is None else weights
    losses = []
    for c in range(0 if include_background else 1, logits.shape[1]):
        samples = [slice(None)] if batch else range(len(labels))
        for b in samples:
            volume = (w[b] * p[b, c] ** 2).sum() + (w[b] * g[b, c] ** 2).sum()
            if not squared:
                volume = (w[b] * p[b, c]).sum() + (w[b] * g[b, c]).sum()
            losses.append(1 - (2 * (w[b] * p[b, c] * g[b, c]).sum() + smooth) / (volume + smooth))
    return mean(losses)
