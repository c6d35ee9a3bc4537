"""A sum of losses: Σ weight · value."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def weighted_sum(terms: Sequence[tuple[float, Tensor]]) -> Tensor:
    """The values times their weights, added."""
    return sum(weight * value for weight, value in terms)
