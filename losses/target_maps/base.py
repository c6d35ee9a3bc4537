"""What a target map is, and what the rest of the house may ask about it before any is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from losses.errors import LossError
from losses.target_maps.lesions import Lesions

Head = Literal["linear", "relu", "sigmoid", "tanh"]


class TargetMap:
    """Base of every kind: attributes that describe the values, and the formula in `values`.

    dtype         of the array that `losses.target_maps.compute` returns: "float32", or "int32" for numbers of lesions.
    stored_dtype  to keep it in on disk; "float16" only for values within [−1, 1] (rounded by at most 2⁻¹² = .00024).
    value_range   smallest and largest value, ±inf where nothing bounds it.
    heads         activations of a regressor whose output can reach every value; none for what is no regression target.
    version       part of the identity of stored maps and of what was trained with them: raise it with other values.
    """

    dtype: ClassVar[str] = "float32"
    stored_dtype: ClassVar[str] = "float32"
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    heads: ClassVar[tuple[Head, ...]] = ()
    version: ClassVar[int] = 1

    def values(self, lesions: Lesions) -> npt.NDArray[np.generic]:
        """Return the map (*S) of the lesions of one class; −1 voxels are set to 0 by the caller."""
        raise NotImplementedError(f"{type(self).__qualname__} defines no values()")


@dataclass(frozen=True)
class MapDescription:
    """What is known of one kind: its documentation and the attributes of `TargetMap`.

    signed   some values are below 0, so it cannot weight a region loss.
    numbers  the values are numbers of lesions, which nothing may average, scale or regress.
    """

    name: str
    summary: str
    documentation: str
    dtype: str
    stored_dtype: str
    value_range: tuple[float, float]
    heads: tuple[Head, ...]
    version: int
    where: str

    @property
    def signed(self) -> bool:
        return self.value_range[0] < 0

    @property
    def numbers(self) -> bool:
        return self.dtype == "int32"


def as_lesions(
    kind: str, mask: npt.ArrayLike, spacing_mm: tuple[float, ...] | None
) -> tuple[Lesions, npt.NDArray[np.bool_]]:
    """Return the lesions and the ignored voxels of a mask; raises `LossError` for what is no mask or no spacing."""
    array = np.asarray(mask)
    if array.ndim not in (2, 3) or array.size == 0:
        raise LossError(f"target map {kind!r}: the mask must be 2D or 3D and not empty, got shape {array.shape}")
    if array.dtype.kind not in "biu":
        raise LossError(f"target map {kind!r}: the mask must be of integers or bool, got {array.dtype}")
    ignored = array < 0 if array.dtype.kind == "i" else np.zeros(array.shape, np.bool_)
    if ignored.any() and array.min() < -1:
        raise LossError(f"target map {kind!r}: mask values must be >= -1 (-1 = ignored), found {array.min()}")
    spacing = (1.0,) * array.ndim if spacing_mm is None else spacing_mm
    if len(spacing) != array.ndim or not all(math.isfinite(step) and step > 0 for step in spacing):
        raise LossError(
            f"target map {kind!r}: spacing_mm must be one number > 0 per axis of the mask {array.shape}, got {spacing}"
        )
    return Lesions(array > 0, spacing), ignored
