"""Branching tubes: random walks that fork and thin out inside the liver. Vessels and bile ducts are made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.data.phantom.grid import Field, Grid, Point

_STEP_MM = 2.0
_STEPS_PER_BRANCH = 12
_BEND = 0.16  # sd of the change of direction per step
_FORK = 0.55  # sd of the change of direction at a fork
_TAPER = 0.985  # radius after a step
_CHILD = 0.74  # radius after a fork
_THINNEST_MM = 0.8


@dataclass(frozen=True)
class Twig:
    """The growing end of a tube."""

    position: Point
    direction: Point
    radius_mm: float


def grow(rng: np.random.Generator, grid: Grid, depth_mm: Field, root: Twig, forks: int) -> list[Twig]:
    """Return the beads, `_STEP_MM` apart, of a tree that forks `forks` times and stops at the liver's surface."""
    beads: list[Twig] = []
    ends = [(root, forks)]
    while ends:
        twig, left = ends.pop()
        for _ in range(_STEPS_PER_BRANCH):
            twig = _step(rng, twig)
            if twig.radius_mm < _THINNEST_MM or depth_mm[grid.nearest_voxel(twig.position)] < twig.radius_mm:
                break
            beads.append(twig)
        else:
            if left:
                ends += [(_fork(rng, twig), left - 1), (_fork(rng, twig), left - 1)]
    return beads


def render(grid: Grid, beads: list[Twig]) -> Field:
    """Return the share of each voxel that tubes fill, for beads close enough to overlap."""
    coverage = np.zeros(grid.size, dtype=np.float32)
    for bead in beads:
        window = grid.window(bead.position, bead.radius_mm + grid.edge_mm / 2)
        z, y, x = grid.offsets(window, bead.position)
        distance = np.sqrt(z * z + y * y + x * x) - np.float32(bead.radius_mm)
        part = coverage[window]
        np.maximum(part, np.clip(np.float32(0.5) - distance / np.float32(grid.edge_mm), 0, 1), out=part)
    return coverage


def unit(vector: Point) -> Point:
    """Return the vector scaled to length 1."""
    return vector / max(float(np.sqrt((vector * vector).sum())), 1e-9)


def _step(rng: np.random.Generator, twig: Twig) -> Twig:
    direction = unit(twig.direction + _BEND * rng.standard_normal(3))
    return Twig(twig.position + _STEP_MM * direction, direction, twig.radius_mm * _TAPER)


def _fork(rng: np.random.Generator, twig: Twig) -> Twig:
    return Twig(twig.position, unit(twig.direction + _FORK * rng.standard_normal(3)), twig.radius_mm * _CHILD)
