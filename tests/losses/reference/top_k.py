"""Top-k: the mean of the worst fraction of all voxels' cross entropies, pooled over the batch."""

from __future__ import annotations

from torch import Tensor

from .cross_entropy import voxel_cross_entropy
from .one_hot import mean


def top_k(logits: Tensor, labels: Tensor, *, fraction: float = 0.1) -> Tensor:
    """The floor(fraction · N) worst of the N voxels that count, one at the least."""
    values = voxel_cross_entropy(logits, labels)
    worst_first = sorted(values[labels != -1], key=lambda value: value.item(), reverse=True)
    return mean(worst_first[: max(1, int(fraction * len(worst_first)))])
