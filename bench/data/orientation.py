"""How stored array axes lie to the patient, and the way to one canonical frame and back.

Canonical are the axes (z, y, x) that run towards head, back and left (the axes of DICOM and ITK). Volumes are turned
by whole axes only, so that nothing is interpolated; an oblique grid stays oblique.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from bench.data.volume import Geometry

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Orientation:
    """Where the axes of an array come from.

    axes     stored axis that is nearest to the canonical axis i.
    flipped  whether it runs the other way.
    """

    axes: tuple[int, ...]
    flipped: tuple[bool, ...]

    @property
    def canonical(self) -> bool:
        """Whether nothing has to be turned."""
        return self.axes == tuple(range(len(self.axes))) and not any(self.flipped)

    @property
    def inverse(self) -> Orientation:
        """The way back: `to_canonical` with it undoes `to_canonical`."""
        order = tuple(self.axes.index(axis) for axis in range(len(self.axes)))
        return Orientation(order, tuple(self.flipped[i] for i in order))

    @property
    def code(self) -> tuple[int, ...]:
        """As `Geometry.stored`; empty where nothing is turned."""
        pairs = zip(self.axes, self.flipped, strict=True)
        return () if self.canonical else tuple(-(axis + 1) if turn else axis + 1 for axis, turn in pairs)

    @classmethod
    def of_code(cls, code: Sequence[int]) -> Orientation:
        """Inverse of `code`, which must not be empty."""
        return cls(tuple(abs(entry) - 1 for entry in code), tuple(entry < 0 for entry in code))


def orientation_of(direction: Sequence[float]) -> Orientation:
    """The stored axes nearest to the canonical ones.

    Args:
        direction: row-major cosines of the (x, y, z) axes, as SimpleITK gives them.
    """
    n = math.isqrt(len(direction))
    cosines = np.reshape(direction, (n, n))[::-1, ::-1]  # patient's axes by array axes, both (z, y, x)
    axes = max(permutations(range(n)), key=lambda order: sum(abs(cosines[i, axis]) for i, axis in enumerate(order)))
    return Orientation(tuple(axes), tuple(bool(cosines[i, axis] < 0) for i, axis in enumerate(axes)))


def to_canonical(array: npt.NDArray[Scalar], orientation: Orientation) -> npt.NDArray[Scalar]:
    """A view of a stored array (..., *S) with its axes in canonical order and sense."""
    n = len(orientation.axes)
    lead = array.ndim - n
    turned = array.transpose(*range(lead), *(lead + axis for axis in orientation.axes))
    return turned[(..., *_steps(orientation.flipped))]


def as_stored(array: npt.NDArray[Scalar], geometry: Geometry) -> tuple[npt.NDArray[Scalar], Geometry]:
    """An array (..., *S) on a grid that reading turned, and the grid, as they are in the file."""
    if not geometry.stored:
        return array, geometry
    back = Orientation.of_code(geometry.stored).inverse
    return to_canonical(array, back), canonical_geometry(geometry, back)


def as_read(array: npt.NDArray[Scalar], geometry: Geometry) -> npt.NDArray[Scalar]:
    """An array (..., *S) as it is in the file, turned to the grid that reading gave; inverse of `as_stored`."""
    return to_canonical(array, Orientation.of_code(geometry.stored)) if geometry.stored else array


def canonical_geometry(stored: Geometry, orientation: Orientation) -> Geometry:
    """The grid of `to_canonical`: the same voxels at the same places in the patient."""
    n = len(stored.shape)
    columns = np.reshape(stored.direction, (n, n))[:, ::-1]  # by array axis
    origin = np.array(stored.origin)
    turned = []
    for axis, flipped in zip(orientation.axes, orientation.flipped, strict=True):
        turned.append(-columns[:, axis] if flipped else columns[:, axis])
        if flipped:
            origin = origin + columns[:, axis] * stored.spacing_mm[axis] * (stored.shape[axis] - 1)
    direction = np.stack(turned[::-1], axis=1) + 0.0  # no negative zeros
    return Geometry(
        tuple(stored.shape[axis] for axis in orientation.axes),
        tuple(stored.spacing_mm[axis] for axis in orientation.axes),
        tuple(float(o) for o in origin),
        tuple(float(cosine) for cosine in direction.ravel()),
    )


def _steps(flipped: Sequence[bool]) -> tuple[Any, ...]:
    return tuple(slice(None, None, -1 if turn else 1) for turn in flipped)
