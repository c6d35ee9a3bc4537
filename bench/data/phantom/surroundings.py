"""What lies around the liver: bowel-like soft tissue in fat, 0 HU on average, with a spine, a body wall and ribs.

Only there so that a slice reads as an abdomen: the harness masks or crops it away, and its mean of about 0 HU sets the
partial volume at the liver's surface.
"""

from __future__ import annotations

import numpy as np

from bench.data.phantom.grid import Field, Grid, ramp, smooth_field
from bench.data.phantom.shapes import Ellipsoid, ellipsoid_distance

_FAT_HU, _SOFT_HU, _MUSCLE_HU, _BONE_HU, _AIR_HU = -95.0, 45.0, 60.0, 260.0, -1000.0
_SOFT_SCALE_MM, _SOFT_THRESHOLD = 16.0, -0.45  # about two thirds soft tissue: 0 HU on average
_SPINE_CENTRE, _SPINE_AXES = (0.0, 0.40, 0.40), (2.0, 0.12, 0.14)
_WALL_CENTRE, _WALL_AXES = (0.0, 0.0, 0.40), (4.0, 0.49, 0.87)
_WALL_MM, _RIB_PERIOD_MM, _RIB_SLOPE = 9.0, 26.0, 0.6


def make_surroundings(rng: np.random.Generator, grid: Grid) -> Field:
    """Return the HU of everything that is not liver, shape `grid.size`."""
    soft = ramp(smooth_field(rng, grid, _SOFT_SCALE_MM) * 4 * -1 + np.float32(4 * _SOFT_THRESHOLD), grid.edge_mm)
    hu = np.float32(_FAT_HU) + soft * np.float32(_SOFT_HU - _FAT_HU)
    spine = _ellipsoid(grid, _SPINE_CENTRE, _SPINE_AXES)
    hu = _blend(hu, ramp(spine, grid.edge_mm), _BONE_HU)
    body = _ellipsoid(grid, _WALL_CENTRE, _WALL_AXES)
    wall = ramp(-body - np.float32(_WALL_MM), grid.edge_mm)
    hu = _blend(hu, wall, _MUSCLE_HU)
    z, y, _ = grid.offsets(grid.whole, np.zeros(3))
    phase = 2 * np.pi * ((z + _RIB_SLOPE * y) / _RIB_PERIOD_MM + rng.uniform())
    ribs = ramp(np.abs(body + np.float32(_WALL_MM * 0.6)) - np.float32(2.5), grid.edge_mm)
    hu = _blend(hu, ribs * ramp(np.asarray(-8 * (np.cos(phase) - 0.4), dtype=np.float32), grid.edge_mm), _BONE_HU)
    return _blend(hu, ramp(-body, grid.edge_mm), _AIR_HU)


def _ellipsoid(grid: Grid, centre: tuple[float, ...], axes: tuple[float, ...]) -> Field:
    shape = Ellipsoid(np.array(centre) * grid.extent_mm, np.array(axes) * grid.extent_mm)
    return ellipsoid_distance(grid, grid.whole, shape)


def _blend(under: Field, share: Field, hu: float) -> Field:
    return under + share * (np.float32(hu) - under)
