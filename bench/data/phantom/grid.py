"""The phantom's voxel grid in millimetres: coordinates, windows around a point, and smooth random fields on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Point = npt.NDArray[np.float64]
Window = tuple[slice, ...]

_SPLINE_VARIANCE = 0.4794  # mean over a cell of the sum of squared cubic B-spline weights: 151/315


@dataclass(frozen=True)
class Grid:
    """A grid of `size` voxels (z, y, x); positions are in mm from its centre."""

    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]

    @property
    def extent_mm(self) -> Point:
        """Length of the field of view along each axis."""
        return np.asarray(np.array(self.size) * np.array(self.spacing_mm), dtype=np.float64)

    @property
    def whole(self) -> Window:
        """The window of all voxels."""
        return tuple(slice(0, n) for n in self.size)

    @property
    def edge_mm(self) -> float:
        """Width over which a sharp boundary is spread by the size of a voxel: the mean spacing."""
        return float(sum(self.spacing_mm)) / 3

    def window(self, centre: Point, radius_mm: float) -> Window:
        """Return the box of voxels within `radius_mm` of `centre` along each axis, cut at the grid's border."""
        bounds = []
        for axis, (n, step) in enumerate(zip(self.size, self.spacing_mm, strict=True)):
            middle = centre[axis] / step + (n - 1) / 2
            low = max(0, math.floor(middle - radius_mm / step))
            bounds.append(slice(low, max(low, min(n, math.ceil(middle + radius_mm / step) + 1))))
        return tuple(bounds)

    def offsets(self, window: Window, centre: Point) -> tuple[Field, Field, Field]:
        """Return the three axes of `window` in mm relative to `centre`, shaped to broadcast against each other."""
        z, y, x = (self._axis(axis, window[axis], float(centre[axis])) for axis in range(3))
        return z[:, None, None], y[None, :, None], x[None, None, :]

    def position(self, voxel: tuple[int, ...]) -> Point:
        """Return the position in mm of a voxel's centre."""
        return np.asarray((np.array(voxel) - (np.array(self.size) - 1) / 2) * np.array(self.spacing_mm))

    def nearest_voxel(self, position: Point) -> tuple[int, ...]:
        """Return the voxel that holds a position; positions outside belong to the border's voxel."""
        voxel = np.rint(position / np.array(self.spacing_mm) + (np.array(self.size) - 1) / 2).astype(int)
        return tuple(int(v) for v in np.clip(voxel, 0, np.array(self.size) - 1))

    def _axis(self, axis: int, part: slice, centre: float) -> Field:
        n, step = self.size[axis], self.spacing_mm[axis]
        return ((np.arange(part.start, part.stop) - (n - 1) / 2) * step - centre).astype(np.float32)


def smooth_field(rng: np.random.Generator, grid: Grid, scale_mm: float) -> Field:
    """Return a smooth random field of mean 0 and standard deviation 1, shape `grid.size`, that varies over `scale_mm`.

    White noise on a lattice of that pitch, joined by cubic B-splines. Plain sums of products along one axis after the
    other: fast, and no linear-algebra library whose result could depend on its number of threads.
    """
    lattice = tuple(math.ceil(extent / scale_mm) + 4 for extent in grid.extent_mm)
    field = rng.standard_normal(lattice, dtype=np.float32)
    for axis, (n, step) in enumerate(zip(grid.size, grid.spacing_mm, strict=True)):
        field = _upsample(field, axis, np.asarray((np.arange(n) + 0.5) * step / scale_mm, dtype=np.float64))
    return field * np.float32(_SPLINE_VARIANCE**-1.5)


def _upsample(lattice: Field, axis: int, position: Point) -> Field:
    """Evaluate cubic B-splines along one axis at `position`, in units of the lattice's pitch."""
    first = np.floor(position).astype(int)
    t = position - first
    weights = ((1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (3 * (1 - t) ** 3 - 6 * (1 - t) ** 2 + 4) / 6, t**3 / 6)
    shape = [1, 1, 1]
    shape[axis] = len(position)
    total = np.zeros((), dtype=np.float32)
    for shift, weight in enumerate(weights):
        total = total + np.take(lattice, first + shift, axis=axis) * weight.astype(np.float32).reshape(shape)
    return np.asarray(total, dtype=np.float32)


def ramp(distance_mm: Field, width_mm: float) -> Field:
    """Return 1 deep inside, 0 far outside, 1/2 at signed distance 0, with slope 1/width there (smoothstep)."""
    t = np.clip(np.float32(0.5) - distance_mm / np.float32(1.5 * width_mm), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)
