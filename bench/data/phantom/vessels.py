"""Vessels, brighter than the liver after contrast, and the dark bile ducts that some cases have beside them."""

from __future__ import annotations

import numpy as np

from bench.data.phantom.grid import Field, Grid, Point
from bench.data.phantom.organ import Organ
from bench.data.phantom.tubes import Twig, grow, render, unit

_TREES = 5
_ENHANCEMENT_HU = (25.0, 50.0)
_RADIUS_MM = (3.2, 4.8)
_VESSEL_FORKS = 3
# Where trees enter, as shares of the field of view: the portal vein at the hilum, the hepatic veins above it.
_ENTRIES = ((-0.04, 0.02, 0.02), (0.14, 0.08, 0.0))

_DUCT_PROBABILITY = 0.4
_DUCT_TREES = 2
_DUCT_RADIUS_MM = (1.8, 2.8)
_DUCT_FORKS = 2
_DUCT_HU = (10.0, 45.0)


def add_vessels(rng: np.random.Generator, grid: Grid, organ: Organ) -> Field:
    """Return the HU that enhanced vessels add to the liver."""
    beads: list[Twig] = []
    for tree in range(_TREES):
        root = _root(rng, grid, organ, np.array(_ENTRIES[tree % 2]), _RADIUS_MM)
        beads += grow(rng, grid, organ.depth_mm, root, _VESSEL_FORKS)
    return render(grid, beads) * np.float32(rng.uniform(*_ENHANCEMENT_HU))


def make_ducts(rng: np.random.Generator, grid: Grid, organ: Organ) -> tuple[Field, float]:
    """Return the share of each voxel that widened bile ducts fill (mostly nothing: 40 % of cases) and their HU."""
    present, hu = rng.uniform() < _DUCT_PROBABILITY, float(rng.uniform(*_DUCT_HU))
    beads: list[Twig] = []
    for _ in range(_DUCT_TREES if present else 0):
        root = _root(rng, grid, organ, np.array(_ENTRIES[0]), _DUCT_RADIUS_MM)
        beads += grow(rng, grid, organ.depth_mm, root, _DUCT_FORKS)
    return render(grid, beads), hu


def _root(rng: np.random.Generator, grid: Grid, organ: Organ, entry: Point, radius_mm: tuple[float, float]) -> Twig:
    """Start near an entry, heading for a random voxel of the liver so that trees spread over all of it."""
    start = (entry + rng.uniform(-0.03, 0.03, 3)) * grid.extent_mm
    voxels = np.flatnonzero(organ.mask)
    voxel = np.unravel_index(int(voxels[rng.integers(len(voxels))]), grid.size)
    goal = grid.position(tuple(int(v) for v in voxel))
    return Twig(start, unit(goal - start), float(rng.uniform(*radius_mm)))
