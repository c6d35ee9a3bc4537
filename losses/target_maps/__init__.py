"""Target maps: voxel-wise supervision that is derived from the mask of one class alone.

    losses.target_maps.compute("norm_inverse", mask) -> float32 array of the mask's shape

Every kind is one file in `losses/target_maps/library/`, an entry point of the group `imbalance_bench.target_maps` in
another distribution, or a class under `@losses.target_maps.register("name")`. Importing this package imports neither
torch nor scipy.

What all kinds share:
  - A lesion is a 26-connected component of the mask (8-connected in 2D).
  - Distances are between voxel centres, in voxels; with `spacing_mm` in millimetres.
  - A lesion that is cut by the border of the volume is taken to go on outside it: only voxels of the array are
    background. This is what the transforms of scipy and the scripts of Li et al. 2021 do. A mask without any
    background voxel leaves no distance to speak of, so there, and only there, everything outside is background.
  - Voxels labelled −1 (ignored) count as background, and every map is 0 there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from losses.errors import LossError
from losses.registry import Registry
from losses.target_maps.base import MapDescription, TargetMap, as_lesions

__all__ = [
    "KINDS",
    "MapDescription",
    "TargetMap",
    "available",
    "compute",
    "describe",
    "identity",
    "register",
    "unit_of",
]

KINDS: Registry[TargetMap] = Registry(
    "target map", package="losses.target_maps.library", group="imbalance_bench.target_maps", error=LossError
)

available = KINDS.names
register = KINDS.register


def unit_of(name: str) -> tuple[str, bool]:
    """Kind of map behind a name, and whether distances are in mm: `signed_distance_mm` is `signed_distance` in mm."""
    kind = name.removesuffix("_mm")
    return kind, kind != name


def compute(
    kind: str, mask: npt.ArrayLike, spacing_mm: Sequence[float] | None = None, **options: Any
) -> npt.NDArray[Any]:
    """Return the map of one class, an array of the mask's shape: float32, or int32 for numbers of lesions.

    kind        one of `available()`.
    mask        (*S) bool or integer, 2D or 3D: 0 background, −1 ignored, anything above 0 the class.
    spacing_mm  of the mask's axes, in their order; distances are then in mm. None: in voxels.
    options     parameters of the kind, such as `sigma` of `border`.

    Exact: equal to its definition in float64 up to the rounding of float32. What an empty mask gives is in the
    documentation of each kind (`describe`). Raises `LossError` for an unknown kind or option, for a mask that is not
    2D or 3D, holds no voxel, is not of integers or has values below −1, and for a spacing that is not one number > 0
    per axis.
    """
    made = KINDS.create(kind, **options)
    spacing = None if spacing_mm is None else tuple(float(step) for step in spacing_mm)
    lesions, ignored = as_lesions(kind, mask, spacing)
    values = np.asarray(made.values(lesions))
    if values.shape != lesions.shape:
        raise LossError(f"target map {kind!r}: returned shape {values.shape} for a mask of shape {lesions.shape}")
    result = values.astype(made.dtype, copy=False)
    if ignored.any():
        result[ignored] = 0
    return result


def describe(kind: str) -> MapDescription:
    """What a kind holds: types, value range, heads that can regress it; raises `LossError` for an unknown kind."""
    known = KINDS.describe(kind)
    factory: Any = KINDS.get(kind)
    return MapDescription(
        name=known.name,
        summary=known.summary,
        documentation=known.documentation,
        dtype=factory.dtype,
        stored_dtype=factory.stored_dtype,
        value_range=factory.value_range,
        heads=factory.heads,
        version=factory.version,
        where=known.where,
    )


def identity(kind: str, **options: Any) -> dict[str, Any]:
    """All that decides the values of a stored map beside its mask: kind, every option, stored type and version.

    Raises `LossError` for an unknown kind or option.
    """
    known = describe(kind)
    resolved = KINDS.resolve(kind, options)
    return {"kind": kind, "options": resolved, "stored_dtype": known.stored_dtype, "version": known.version}
