"""The last activation of a regressor: it decides which values a map can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from losses import LossError, target_maps
from models.errors import ModelError

HEADS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda values: values,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}

INSIDE: Mapping[str, float] = {"linear": -0.5, "relu": 0.0, "sigmoid": 0.05, "tanh": 0.0}
"""Above which an `upright` value says that the voxel is inside a lesion.

The linear head's maps are signed distances: 0 in the outermost voxels of a lesion, 1 in the first ones outside.
The authors of LR-Net ask for output > 0. A sigmoid is never 0, so there it is what `norm_inverse` has in the middle of
a lesion that is 20 voxels deep; the cores of deeper ones count as outside.
"""


def passes(head: str, values: Tensor) -> Tensor:
    """Where a gradient comes through the head, by the values behind it: not where a ReLU is 0."""
    return values > 0 if head == "relu" else torch.ones_like(values, dtype=torch.bool)


def upright(head: str, values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    """Values, or targets, with what is inside above what is outside: signed distances are negative inside."""
    return -values if head == "linear" else values


def chosen_head(regressor: str, kind: str, head: str | None) -> str:
    """Return the head for a kind of map: the one that was asked for, or the first that its values allow.

    Raises `ModelError` for an unknown kind, one that is no regression target, and a head that cannot reach its values.
    """
    try:
        known = target_maps.describe(kind)
    except LossError as error:
        raise ModelError(f"{regressor}: map: {error}") from error
    if not known.heads:
        usable = [name for name in target_maps.available() if target_maps.describe(name).heads]
        raise ModelError(f"{regressor}: the map {kind!r} is nothing to regress; use one of {', '.join(usable)}")
    if head is None:
        return known.heads[0]
    if head not in known.heads:
        low, high = known.value_range
        raise ModelError(
            f"{regressor}: head {head!r} cannot give the values of {kind!r}, which lie in {low:g}..{high:g}; "
            f"use {' or '.join(known.heads)}"
        )
    return head
