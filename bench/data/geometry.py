"""Where a prepared volume lies in the native one: another spacing, a box of it, and the way back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.volume import Geometry

Box = tuple[tuple[int, int], ...]
"""First voxel and the one after the last, along each axis."""

SAME_SPACING = 1e-3
"""Spacings that differ relatively by less are the same: nothing is interpolated for them."""
ROUNDING = 1e-6
"""Of a voxel: what floating point may add to an edge that falls on a voxel border."""


@dataclass(frozen=True)
class Placement:
    """A prepared grid inside a native one.

    native  the grid of the file.
    grid    the whole native volume at the prepared spacing; both begin at the same outer edge, not at the same centre.
    box     the part of `grid` that is kept.
    """

    native: Geometry
    grid: Geometry
    box: Box

    @property
    def resampled(self) -> bool:
        """Whether voxel values were interpolated; if not, the prepared volume is an exact piece of the native one."""
        return self.grid != self.native

    @property
    def prepared(self) -> Geometry:
        """The grid of the prepared volume, in the same patient frame as the native one."""
        return part_of(self.grid, self.box)

    @property
    def native_box(self) -> Box:
        """Native voxels whose centre lies in the box; where the box reaches the end of the volume, up to that end."""
        return self.native_box_of(self.box)

    def native_box_of(self, box: Box) -> Box:
        """Native voxels whose centre lies in a box of the grid."""
        found = []
        for (first, stop), n, t, size, s in zip(
            box, self.grid.shape, self.grid.spacing_mm, self.native.shape, self.native.spacing_mm, strict=True
        ):
            low = 0 if first == 0 else math.ceil(first * t / s - 0.5 - ROUNDING)
            high = size if stop == n else math.ceil(stop * t / s - 0.5 - ROUNDING)
            found.append((min(low, size - 1), min(max(high, low + 1), size)))
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and lists, exact on the way back."""
        box = [list(axis) for axis in self.box]
        return {"native": self.native.to_json(), "grid": self.grid.to_json(), "box": box}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Placement:
        """Inverse of `to_json`."""
        native, grid = Geometry.from_json(value["native"]), Geometry.from_json(value["grid"])
        return cls(native, grid, box_from_json(value["box"]))


def box_from_json(value: Sequence[Sequence[int]]) -> Box:
    """A box as JSON gives it back: lists of numbers."""
    return tuple((int(first), int(stop)) for first, stop in value)


def place(native: Geometry, spacing_mm: tuple[float, ...] | None) -> Placement:
    """The whole volume at another spacing (None: as it is).

    The number of voxels is the extent divided by the spacing, rounded to the nearest, at least 1.

    Raises:
        ValueError: the spacing has another number of axes than the volume.
    """
    grid = native if spacing_mm is None else _regrid(native, spacing_mm)
    return Placement(native, grid, whole(grid.shape))


def whole(shape: tuple[int, ...]) -> Box:
    """The box of a whole array."""
    return tuple((0, n) for n in shape)


def bounding_box(mask: npt.NDArray[np.bool_]) -> Box | None:
    """The smallest box with all true voxels, or None where there is none."""
    box = []
    for axis in range(mask.ndim):
        occupied = np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        if not occupied.size:
            return None
        box.append((int(occupied[0]), int(occupied[-1]) + 1))
    return tuple(box)


def box_in_grid(box: Box, placement: Placement) -> Box:
    """The smallest box of the grid that covers a box of native voxels entirely."""
    found = []
    for (first, stop), s, t, n in zip(
        box, placement.native.spacing_mm, placement.grid.spacing_mm, placement.grid.shape, strict=True
    ):
        low = min(math.floor(first * s / t + ROUNDING), n - 1)
        found.append((low, max(min(math.ceil(stop * s / t - ROUNDING), n), low + 1)))
    return tuple(found)


def widen(box: Box, margins: tuple[int, ...], shape: tuple[int, ...]) -> Box:
    """A box with a margin on both sides of each axis, cut at the borders of the array."""
    return tuple((max(a - m, 0), min(b + m, n)) for (a, b), m, n in zip(box, margins, shape, strict=True))


def slices(box: Box) -> tuple[slice, ...]:
    """The box as an index."""
    return tuple(slice(first, stop) for first, stop in box)


def part_of(geometry: Geometry, box: Box) -> Geometry:
    """Geometry of a box of a grid."""
    shift = [first * s for (first, _), s in zip(box, geometry.spacing_mm, strict=True)]
    shape = tuple(stop - first for first, stop in box)
    return Geometry(shape, geometry.spacing_mm, _moved(geometry, shift), geometry.direction)


def _regrid(native: Geometry, wanted: tuple[float, ...]) -> Geometry:
    if len(wanted) != len(native.shape):
        raise ValueError(f"spacing {wanted} mm for a volume of {len(native.shape)} axes; expected one number per axis")
    pairs = list(zip(native.spacing_mm, wanted, strict=True))
    spacing = tuple(s if math.isclose(s, t, rel_tol=SAME_SPACING) else t for s, t in pairs)
    if spacing == native.spacing_mm:
        return native
    axes = list(zip(native.shape, native.spacing_mm, spacing, strict=True))
    shape = tuple(max(1, round(n * s / t)) for n, s, t in axes)
    return Geometry(shape, spacing, _moved(native, [(t - s) / 2 for _, s, t in axes]), native.direction)


def _moved(geometry: Geometry, shift_mm: list[float]) -> tuple[float, ...]:
    """The origin after a shift along the array axes, (z, y, x) in, (x, y, z) out; not a bit changed by no shift."""
    if not any(shift_mm):
        return geometry.origin
    n = len(shift_mm)
    step = np.reshape(geometry.direction, (n, n)) @ np.array(shift_mm[::-1])
    return tuple(float(o + d) for o, d in zip(geometry.origin, step, strict=True))
