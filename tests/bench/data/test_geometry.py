from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.geometry import Placement, bounding_box, box_in_grid, part_of, place, slices, whole, widen
from bench.data.volume import Geometry

spacings = st.tuples(*[st.floats(0.3, 6)] * 3)
shapes = st.tuples(*[st.integers(1, 40)] * 3)


def corner(geometry: Geometry) -> np.ndarray:
    """Outer corner of the first voxel in the patient frame."""
    n = len(geometry.shape)
    half = -0.5 * np.array(geometry.spacing_mm[::-1])
    return np.array(geometry.origin) + np.reshape(geometry.direction, (n, n)) @ half


def test_the_same_spacing_is_the_same_grid(flipped):
    assert not place(flipped, None).resampled
    assert not place(flipped, flipped.spacing_mm).resampled
    assert not place(flipped, tuple(s * 1.0005 for s in flipped.spacing_mm)).resampled
    assert place(flipped, tuple(s * 1.01 for s in flipped.spacing_mm)).resampled


def test_only_axes_of_another_spacing_are_changed(flipped):
    grid = place(flipped, (1.0, 0.7, 0.8)).grid
    assert grid.shape == (12, 6, 7)  # 5 × 2.5 mm = 12.5 mm
    assert grid.origin[:2] == flipped.origin[:2]


@given(shapes, spacings, spacings)
def test_old_and_new_grid_share_their_outer_corner_and_nearly_their_extent(shape, old, new):
    direction = (-1.0, 0, 0, 0, 0, 1.0, 0, 1.0, 0)
    native = Geometry(shape, old, (5.0, -6.0, 7.0), direction)
    grid = place(native, new).grid
    assert np.allclose(corner(grid), corner(native), atol=1e-9)
    for n, s, m, t in zip(native.shape, native.spacing_mm, grid.shape, grid.spacing_mm, strict=True):
        assert m == 1 or abs(n * s - m * t) <= t / 2 + 1e-9


def test_a_spacing_of_another_number_of_axes_is_refused(flipped):
    with pytest.raises(ValueError, match="3 axes"):
        place(flipped, (1.0, 1.0))


def test_a_part_of_a_grid_keeps_its_place_in_the_patient(flipped):
    part = part_of(flipped, ((1, 4), (2, 3), (3, 7)))
    assert part.shape == (3, 1, 4)
    # x and y run backwards in this direction
    assert part.origin == pytest.approx((10 - 3 * 0.8, -20 - 2 * 0.7, 30 + 2.5))
    assert part_of(flipped, whole(flipped.shape)) == flipped


def test_the_bounding_box_touches_the_mask_on_every_side():
    mask = np.zeros((5, 6, 7), bool)
    assert bounding_box(mask) is None
    mask[1, 5, 0] = mask[3, 2, 4] = True
    assert bounding_box(mask) == ((1, 4), (2, 6), (0, 5))
    assert bounding_box(mask[1]) == ((5, 6), (0, 1))


def test_a_margin_ends_at_the_border():
    assert widen(((1, 2), (0, 5)), (2, 3), (10, 6)) == ((0, 4), (0, 6))


@given(st.data(), shapes, spacings, spacings)
def test_a_box_of_the_grid_covers_the_native_box_that_it_was_made_of(data, shape, old, new):
    placement = place(Geometry.plain(shape, old), new)
    firsts = [data.draw(st.integers(0, n - 1)) for n in shape]
    box = tuple((first, data.draw(st.integers(first + 1, n))) for first, n in zip(firsts, shape, strict=True))
    covering = box_in_grid(box, placement)
    assert all(0 <= a < b <= n for (a, b), n in zip(covering, placement.grid.shape, strict=True))
    back = placement.native_box_of(covering)
    assert all(0 <= a < b <= n for (a, b), n in zip(back, shape, strict=True))
    assert all(a <= first and stop <= b for (a, b), (first, stop) in zip(back, box, strict=True))


def test_a_placement_survives_json_and_knows_its_grids(flipped):
    placement = Placement(flipped, place(flipped, (1.0, 1.0, 1.0)).grid, ((2, 8), (0, 4), (1, 3)))
    again = Placement.from_json(json.loads(json.dumps(placement.to_json())))
    assert again == placement
    assert again.prepared.shape == (6, 4, 2)
    assert np.zeros(flipped.shape)[slices(again.native_box)].shape == (2, 6, 3)
