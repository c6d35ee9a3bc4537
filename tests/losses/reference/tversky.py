"""Tversky, focal Tversky and the asymmetric similarity: ratios with one weight on FP and another on FN."""

from __future__ import annotations

import torch
from torch import Tensor

from .one_hot import counted_probabilities, mean, truth


def tversky_indices(
    logits: Tensor,
    labels: Tensor,
    fp_weight: float,
    fn_weight: float,
    smooth: float,
    weights: Tensor | None = None,
) -> list[Tensor]:
    """(TP + ε) / (TP + α FP + β FN + ε) of every sample and foreground class."""
    p, g = counted_probabilities(logits, labels), truth(labels, logits.shape[1])
    w = torch.ones_like(p[:, 0]) if weights is None else weights
    indices = []
    for b in range(len(labels)):
        for c in range(1, logits.shape[1]):
            hit = (w[b] * p[b, c] * g[b, c]).sum()
            false_positive = (w[b] * p[b, c] * (1 - g[b, c])).sum()
            missed = (w[b] * (1 - p[b, c]) * g[b, c]).sum()
            indices.append((hit + smooth) / (hit + fp_weight * false_positive + fn_weight * missed + smooth))
    return indices


def tversky(
    logits: Tensor, labels: Tensor, *, fp_weight: float = 0.3, fn_weight: float = 0.7, smooth: float = 1e-5
) -> Tensor:
    """1 - TI, the mean over samples and foreground classes."""
    return mean([1 - index for index in tversky_indices(logits, labels, fp_weight, fn_weight, smooth)])


def focal_tversky(
    logits: Tensor,
    labels: Tensor,
    *,
    fp_weight: float = 0.3,
    fn_weight: float = 0.7,
    smooth: float = 1e-5,
    exponent: float = 0.75,
) -> Tensor:
    """(1 - TI)^κ of each sample and class, then the mean (no clamp: keep away from TI = 1)."""
    indices = tversky_indices(logits, labels, fp_weight, fn_weight, smooth)
    return mean([(1 - index) ** exponent for index in indices])


def asymmetric_similarity(
    logits: Tensor, labels: Tensor, *, beta: float = 1.5, smooth: float = 1e-5, weights: Tensor | None = None
) -> Tensor:
    """Tversky with FN weight β² / (1 + β²) and FP weight 1 / (1 + β²)."""
    missed, wrong = beta**2 / (1 + beta**2), 1 / (1 + beta**2)
    return mean([1 - index for index in tversky_indices(logits, labels, wrong, missed, smooth, weights)])
