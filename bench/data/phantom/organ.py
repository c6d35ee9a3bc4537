"""The liver: two joined lobes with an uneven surface, of about 410 mL in the default field of view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.data.phantom.grid import Field, Grid, Mask, ramp, smooth_field
from bench.data.phantom.shapes import Ellipsoid, ellipsoid_distance, smooth_union, with_volume

_MEAN_HU, _SD_HU, _DRIFT_HU = 105.0, 10.0, 8.0
_VOLUME_SHARE, _VOLUME_SD = 0.124, 0.08  # of the field of view: 410 mL of 3.3 L
_WOBBLE_SCALE_MM, _WOBBLE_MM = 18.0, 3.5

# Lobes as shares of the field of view (z, y, x): a tall right lobe at low x, a flat left lobe in front of the spine.
_RIGHT_CENTRE, _RIGHT_AXES = (0.0, 0.03, -0.13), (0.32, 0.27, 0.25)
_LEFT_CENTRE, _LEFT_AXES = (0.05, -0.10, 0.15), (0.16, 0.17, 0.28)


@dataclass(frozen=True)
class Organ:
    """A liver: `depth_mm` below its surface (negative outside), the share of each voxel it fills, and its HU."""

    depth_mm: Field
    coverage: Field
    mean_hu: float
    parenchyma_hu: Field

    @property
    def mask(self) -> Mask:
        """Voxels of the liver."""
        return np.asarray(self.depth_mm > 0)


def make_organ(rng: np.random.Generator, grid: Grid) -> Organ:
    """Draw the liver of one case."""
    lobes = [_lobe(rng, grid, c, a) for c, a in ((_RIGHT_CENTRE, _RIGHT_AXES), (_LEFT_CENTRE, _LEFT_AXES))]
    distance = smooth_union(lobes[0], lobes[1], blend_mm=0.1 * float(grid.extent_mm.min()))
    distance += np.float32(_WOBBLE_MM) * smooth_field(rng, grid, _WOBBLE_SCALE_MM)
    volume = float(grid.extent_mm.prod()) * _VOLUME_SHARE * float(np.exp(_VOLUME_SD * rng.standard_normal()))
    distance = with_volume(distance, volume, float(np.prod(grid.spacing_mm)))
    mean_hu = _MEAN_HU + _SD_HU * float(rng.standard_normal())
    drift = np.float32(_DRIFT_HU) * smooth_field(rng, grid, scale_mm=float(grid.extent_mm.min()) / 2.5)
    return Organ(-distance, ramp(distance, grid.edge_mm), mean_hu, np.float32(mean_hu) + drift)


def _lobe(rng: np.random.Generator, grid: Grid, centre: tuple[float, ...], axes: tuple[float, ...]) -> Field:
    place = np.array(centre) + rng.uniform(-0.02, 0.02, 3)
    size = np.array(axes) * rng.uniform(0.92, 1.08, 3)
    return ellipsoid_distance(grid, grid.whole, Ellipsoid(place * grid.extent_mm, size * grid.extent_mm))
