"""Signed distances of solid shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.phantom.grid import Grid
from bench.data.phantom.shapes import (
    Ellipsoid,
    ellipsoid_distance,
    random_semi_axes,
    smooth_union,
    sphere_radius,
    with_volume,
)

GRID = Grid((40, 40, 40), (1.0, 1.0, 1.0))


def ball(centre: tuple[float, float, float], radius: float) -> np.ndarray:
    return ellipsoid_distance(GRID, GRID.whole, Ellipsoid(np.array(centre), np.full(3, radius)))


def test_the_distance_of_a_ball_is_exact_everywhere_its_centre_included():
    centre = GRID.position((20, 18, 21))
    z, y, x = GRID.offsets(GRID.whole, centre)
    expected = np.sqrt(z * z + y * y + x * x) - 8
    assert np.allclose(ball(tuple(centre), 8.0), expected, atol=1e-4)


def test_an_ellipsoid_holds_its_volume():
    axes = np.array([6.0, 9.0, 14.0])
    inside = ellipsoid_distance(GRID, GRID.whole, Ellipsoid(np.zeros(3), axes)) < 0
    assert inside.sum() == pytest.approx(4 / 3 * np.pi * axes.prod(), rel=0.02)


def test_a_union_holds_both_shapes_and_rounds_the_crease_between_them():
    first, second = ball((0, -7, 0), 8.0), ball((0, 7, 0), 8.0)
    joined = smooth_union(first, second, 4.0)
    sharp = np.minimum(first, second)
    assert (joined <= sharp).all()
    assert ((joined < 0) & (sharp >= 0)).any()
    assert np.array_equal(joined[np.abs(first - second) >= 4], sharp[np.abs(first - second) >= 4])


@given(st.floats(1, 3000))
def test_with_volume_gives_that_many_voxels_but_for_ties(volume):
    assert (with_volume(ball((0.3137, 0.1719, 0.0771), 9.0), volume, 2.0) < 0).sum() == pytest.approx(
        volume / 2, abs=2.01
    )


def test_with_volume_counts_only_the_room_it_is_given():
    room = np.zeros(GRID.size, dtype=bool)
    room[:20] = True
    shifted = with_volume(ball((0.3137, 0.1719, 0.0771), 9.0), 1000.0, 1.0, room)
    assert ((shifted < 0) & room).sum() == pytest.approx(1000, abs=2)
    assert ((shifted < 0) & ~room).any()


@given(st.floats(50, 30_000), st.integers(0, 20))
def test_random_semi_axes_keep_the_volume(volume, seed):
    axes = random_semi_axes(np.random.default_rng(seed), volume, 0.2)
    assert 4 / 3 * np.pi * axes.prod() == pytest.approx(volume)
    assert axes.max() > sphere_radius(volume) > axes.min()
