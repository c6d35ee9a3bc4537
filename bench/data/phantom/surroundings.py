"""What lies around the liver: a film of fluid, then bowel-like soft tissue in fat, a spine, a body wall and ribs.

Mostly there so that a slice reads as an abdomen; the harness masks or crops it away. What stays is the partial volume
of the liver's outermost voxels, which the fluid darkens to the HU of tumours. Fat in its place would darken them
further: no threshold then tells the surface from a tumour.
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
_FLUID_MM, _FLUID_HU = 5.0, 10.0  # around the liver


def make_surroundings(rng: np.random.Generator, grid: Grid, liver_depth_mm: Field) -> Field:
    """Return the HU of everything that is not liver, shape `grid.size`; `liver_depth_mm` is negative outside it."""
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
    hu = _blend(hu, ramp(-body, grid.edge_mm), _AIR_HU)
    return _blend(hu, ramp(-liver_depth_mm - np.float32(_FLUID_MM), grid.edge_mm), _FLUID_HU)


def _ellipsoid(grid: Grid, centre: tuple[float, ...], axes: tuple[float, ...]) -> Field:
    shape = Ellipsoid(np.array(centre) * grid.extent_mm, np.array(axes) * grid.extent_mm)
    return ellipsoid_distance(grid, grid.whole, shape)


def _blend(under: Field, share: Field, hu: float) -> Field:
    return under + share * (np.float32(hu) - under)
