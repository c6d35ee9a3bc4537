"""Generalised Dice: 1 - 2 Σ_c w_c Σpg / Σ_c w_c Σ(p + g), w_c = 1 / (Σg)², background included, per sample."""

from __future__ import annotations

from torch import Tensor

from .one_hot import counted_probabilities, mean, truth


def generalized_dice(logits: Tensor, labels: Tensor, *, absent_class_weight: str = "largest_finite") -> Tensor:
    """An absent class has the largest finite weight of its sample, or none; no ε."""
    p, g = counted_probabilities(logits, labels), truth(labels, logits.shape[1])
    losses = []
    for b in range(len(labels)):
        sizes = [float(g[b, c].sum()) for c in range(logits.shape[1])]
        finite = [1 / size**2 for size in sizes if size]
        absent = max(finite) if absent_class_weight == "largest_finite" else 0.0
        weights = [1 / size**2 if size else absent for size in sizes]
        overlap = sum(w * (p[b, c] * g[b, c]).sum() for c, w in enumerate(weights))
        volume = sum(w * (p[b, c] + g[b, c]).sum() for c, w in enumerate(weights))
        losses.append(1 - 2 * overlap / volume)
    return mean(losses)
