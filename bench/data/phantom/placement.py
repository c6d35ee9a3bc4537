"""Where focal lesions may lie: inside the liver, apart from each other."""

from __future__ import annotations

import numpy as np

from bench.data.phantom.grid import Field, Grid, Point

_GAP_MM = 4.0  # between two lesions: wider than a voxel's diagonal, so that components stay apart
_DEPTH_SHARE = 0.8  # of the radius that must be below the surface: some lesions bulge to the capsule, none leave
_TRIES = 100


class Placement:
    """The free room of one liver; every lesion that is placed takes its share of it."""

    def __init__(self, grid: Grid, depth_mm: Field) -> None:
        self._grid = grid
        self._depth_mm = depth_mm
        self._taken: list[tuple[Point, float]] = []

    def place(self, rng: np.random.Generator, radius_mm: float) -> Point | None:
        """Return the position in mm of a lesion of this reach, uniform over free places; None if none was found."""
        voxels = np.flatnonzero(self._depth_mm > _DEPTH_SHARE * radius_mm)
        for _ in range(_TRIES if len(voxels) else 0):
            voxel = np.unravel_index(int(voxels[rng.integers(len(voxels))]), self._grid.size)
            centre = self._grid.position(tuple(int(v) for v in voxel))
            if all(_distance(centre, other) > radius_mm + reach + _GAP_MM for other, reach in self._taken):
                self._taken.append((centre, radius_mm))
                return centre
        return None


def _distance(first: Point, second: Point) -> float:
    return float(np.sqrt(((first - second) ** 2).sum()))
