"""MapDice: 1 - (2 Σpφ + ε) / (Σp + Σφ + ε), φ the NI-DM of the truth, sums over the batch."""

from __future__ import annotations

from torch import Tensor

from . import maps
from .dice import soft_dice
from .one_hot import counted, counted_probabilities, mean


def map_dice(
    logits: Tensor, labels: Tensor, *, batch: bool = True, smooth: float = 1e-5, only_present: bool = True
) -> Tensor:
    """Foreground only; with several foreground classes the mean over those present (all, where none is)."""
    classes = logits.shape[1]
    p = counted_probabilities(logits, labels)[:, 1:]
    phi = maps.per_class(maps.norm_inverse, labels, classes) * counted(labels)[:, None]
    losses = []
    for b in [slice(None)] if batch else range(len(labels)):
        terms = [(1 - soft_dice(p[b, c], phi[b, c], smooth), bool(phi[b, c].any())) for c in range(classes - 1)]
        if only_present and any(present for _, present in terms):
            terms = [term for term in terms if term[1]]
        losses.append(mean([value for value, _ in terms]))
    return mean(losses)
