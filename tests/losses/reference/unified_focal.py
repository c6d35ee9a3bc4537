"""Asymmetric unified focal: λ aFL + (1 - λ) aFTL."""

from __future__ import annotations

from torch import Tensor

from .one_hot import counted, counted_probabilities, log_probabilities, mean, probabilities, truth


def unified_focal(
    logits: Tensor, labels: Tensor, *, weight: float = 0.5, delta: float = 0.6, gamma: float = 0.5, smooth: float = 1e-7
) -> Tensor:
    """aFL = -(δ y ln p + (1 - δ)(1 - p_bg)^γ y_bg ln p_bg), the mean over the voxels that count;

    aFTL = ½ [(1 - TI_bg) + (1 - TI_fg)^(1 - γ)], δ on FN and 1 - δ on FP, per sample. Beyond the sheet, as the loss
    documents it: for C > 2 every foreground class is treated as the one.
    """
    log_p, g = log_probabilities(logits), truth(labels, logits.shape[1])
    background = (1 - delta) * (1 - probabilities(logits)[:, 0]) ** gamma * g[:, 0] * log_p[:, 0]
    foreground = delta * (g[:, 1:] * log_p[:, 1:]).sum(dim=1)
    focal = -(foreground + background).sum() / counted(labels).sum()
    p, tversky = counted_probabilities(logits, labels), []
    for b in range(len(labels)):
        for c in range(logits.shape[1]):
            hit = (p[b, c] * g[b, c]).sum()
            wrong = (p[b, c] * (1 - g[b, c])).sum()
            missed = ((1 - p[b, c]) * g[b, c]).sum()
            index = (hit + smooth) / (hit + delta * missed + (1 - delta) * wrong + smooth)
            tversky.append(1 - index if c == 0 else (1 - index) ** (1 - gamma))
    return weight * focal + (1 - weight) * mean(tversky)
