"""Tumours: darker than the liver, soft-edged, textured, log-normal in size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.data.phantom.grid import Field, Grid, Window, ramp, smooth_field
from bench.data.phantom.organ import Organ
from bench.data.phantom.placement import Placement
from bench.data.phantom.shapes import Ellipsoid, ellipsoid_distance, random_semi_axes, with_volume

_EMPTY_PROBABILITY = 0.06
_MEAN_FURTHER, _MOST = 3.1, 9  # 1 + Poisson, at most 9
_MEDIAN_MM3, _LOG_SD, _LEAST_MM3, _LARGEST_MM3 = 520.0, 1.2, 85.0, 30_000.0
_CONTRAST_HU, _LESION_HU = (38.0, 60.0), 7.0
_EDGE_MM = (2.0, 5.0)
_ELONGATION = 0.16
_TEXTURE_HU, _TEXTURE_SCALE_MM = 9.0, 4.0
_BUMP_SHARE, _BUMP_SCALE_MM = 0.14, 7.0  # surface bumps, as a share of the radius


@dataclass(frozen=True)
class Lesion:
    """A focal lesion on a window of the grid: signed distance to its surface, edge width and HU (scalar or field).

    Its voxels are those of the liver at negative distance.
    """

    window: Window
    distance_mm: Field
    edge_mm: float
    hu: Field | float

    @property
    def alpha(self) -> Field:
        """The lesion's share of each voxel of the window."""
        return ramp(self.distance_mm, self.edge_mm)


@dataclass(frozen=True)
class LesionMaker:
    """Shapes lesions in one liver. `bumps` is the field of mean 0 and sd 1 that makes surfaces uneven."""

    grid: Grid
    organ: Organ
    placement: Placement
    bumps: Field

    def shape(self, rng: np.random.Generator, volume_mm3: float, elongation: float) -> tuple[Window, Field] | None:
        """Place an uneven ellipsoid; return its window and signed distance, whose inside has the wanted volume."""
        semi_axes = random_semi_axes(rng, volume_mm3, elongation)
        reach = float(semi_axes.max()) * 1.1
        centre = self.placement.place(rng, reach)
        if centre is None:
            return None
        window = self.grid.window(centre, 1.3 * reach + 6.0)
        distance = ellipsoid_distance(self.grid, window, Ellipsoid(centre, semi_axes))
        distance += np.float32(_BUMP_SHARE * float(semi_axes.min())) * self.bumps[window]
        # A lesion may bulge out of the liver, where it is cut off: its volume is what lies inside.
        inside = self.organ.depth_mm[window] > 0
        return window, with_volume(distance, volume_mm3, float(np.prod(self.grid.spacing_mm)), inside)


def make_bumps(rng: np.random.Generator, grid: Grid) -> Field:
    """Return the field that makes lesion surfaces uneven."""
    return smooth_field(rng, grid, _BUMP_SCALE_MM)


def tumour_hu(rng: np.random.Generator, organ: Organ) -> float:
    """Return the HU around which the tumours of a case lie: 38–60 below its liver."""
    return organ.mean_hu - float(rng.uniform(*_CONTRAST_HU))


def make_tumours(rng: np.random.Generator, maker: LesionMaker, case_hu: float) -> list[Lesion]:
    """Draw the tumours of one case: none in 6 % of cases, else 1–9; the largest first, so that it finds a place."""
    empty = rng.uniform() < _EMPTY_PROBABILITY
    count = 0 if empty else min(_MOST, 1 + int(rng.poisson(_MEAN_FURTHER)))
    texture = np.float32(_TEXTURE_HU) * smooth_field(rng, maker.grid, _TEXTURE_SCALE_MM)
    tumours = []
    for volume in sorted((_volume(rng) for _ in range(count)), reverse=True):
        shape = maker.shape(rng, volume, _ELONGATION)
        hu = case_hu + float(rng.uniform(-_LESION_HU, _LESION_HU))
        edge = float(rng.uniform(*_EDGE_MM))
        if shape is not None:
            tumours.append(Lesion(shape[0], shape[1], edge, np.float32(hu) + texture[shape[0]]))
    return tumours


def _volume(rng: np.random.Generator) -> float:
    """Draw a volume in mm³ from the log-normal, again while it is out of bounds."""
    while True:
        volume = _MEDIAN_MM3 * float(np.exp(_LOG_SD * rng.standard_normal()))
        if _LEAST_MM3 <= volume <= _LARGEST_MM3:
            return volume
