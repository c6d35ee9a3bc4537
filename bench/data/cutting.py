"""A patch of an array, which may reach over its edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def inside(shape: Sequence[int], start: Sequence[int], size: Sequence[int]) -> tuple[slice, ...]:
    """The part of a patch that lies inside a volume."""
    return tuple(slice(max(s, 0), min(max(s + p, 0), n)) for s, p, n in zip(start, size, shape, strict=True))


def cut(array: npt.NDArray[Any], start: tuple[int, ...], size: tuple[int, ...], fill: float) -> npt.NDArray[Any]:
    """Cut a patch from the last axes of an array; what lies outside the array is `fill`. Copies, never a view."""
    leading = array.ndim - len(size)
    piece = array[(slice(None),) * leading + inside(array.shape[leading:], start, size)]
    if piece.shape[leading:] == size:
        return np.array(piece)
    patch = np.full((*array.shape[:leading], *size), fill, array.dtype)
    target = tuple(slice(max(-s, 0), max(-s, 0) + n) for s, n in zip(start, piece.shape[leading:], strict=True))
    patch[(slice(None),) * leading + target] = piece
    return patch
