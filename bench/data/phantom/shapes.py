"""Signed distances of the phantom's solid shapes: negative inside, in mm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.data.phantom.grid import Field, Grid, Mask, Point, Window


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid with axes along the grid; both in mm, in (z, y, x) order."""

    centre: Point
    semi_axes: Point


def ellipsoid_distance(grid: Grid, window: Window, shape: Ellipsoid) -> Field:
    """Return the first-order signed distance: with q = |p/a| and g = |p/a²|, (q − 1)·q/g. Exact on the surface."""
    axes = grid.offsets(window, shape.centre)
    inverse = [np.float32(1 / a) for a in shape.semi_axes]
    squares = [(axis * s) ** 2 for axis, s in zip(axes, inverse, strict=True)]
    q = np.sqrt(squares[0] + squares[1] + squares[2])
    gradient = np.sqrt(squares[0] * inverse[0] ** 2 + squares[1] * inverse[1] ** 2 + squares[2] * inverse[2] ** 2)
    radius = np.full_like(q, shape.semi_axes.min())  # at the centre, where q/g is 0/0
    np.divide(q, gradient, out=radius, where=gradient > 0)
    return np.asarray((q - 1) * radius, dtype=np.float32)


def smooth_union(first: Field, second: Field, blend_mm: float) -> Field:
    """Join two shapes and round the crease between them over `blend_mm`."""
    h = np.maximum(np.float32(blend_mm) - np.abs(first - second), 0) / np.float32(blend_mm)
    return np.asarray(np.minimum(first, second) - h * h * np.float32(blend_mm / 4), dtype=np.float32)


def with_volume(distance_mm: Field, volume_mm3: float, voxel_mm3: float, room: Mask | None = None) -> Field:
    """Shift a signed distance so that the voxels below 0 (in `room`, if given) make up the volume; at least one."""
    values = distance_mm.ravel() if room is None else distance_mm[room]
    count = min(max(1, round(volume_mm3 / voxel_mm3)), values.size - 1)
    around = np.partition(values, (count - 1, count))[count - 1 : count + 1]
    return np.asarray(distance_mm - np.float32(0.5) * (around[0] + around[1]), dtype=np.float32)


def random_semi_axes(rng: np.random.Generator, volume_mm3: float, elongation: float) -> Point:
    """Return semi-axes in mm of an ellipsoid of this volume; axis ratios are log-normal with sd `elongation`."""
    stretch = np.exp(elongation * rng.standard_normal(3))
    return np.asarray(stretch * (sphere_radius(volume_mm3) / np.cbrt(stretch.prod())))


def sphere_radius(volume_mm3: float) -> float:
    """Return the radius in mm of a ball of this volume."""
    return float(np.cbrt(volume_mm3 * 3 / (4 * np.pi)))
