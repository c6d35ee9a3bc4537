"""The voxel grid in millimetres and the smooth fields on it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.data.phantom.grid import Grid, ramp, smooth_field

GRID = Grid((20, 30, 24), (3.0, 1.5, 2.0))


@given(st.tuples(st.integers(0, 19), st.integers(0, 29), st.integers(0, 23)))
def test_position_and_nearest_voxel_are_inverse(voxel):
    assert GRID.nearest_voxel(GRID.position(voxel)) == voxel


def test_positions_outside_belong_to_the_border():
    assert GRID.nearest_voxel(np.array([1e3, -1e3, 0.2])) == (19, 0, 12)


@given(
    st.tuples(st.floats(-40, 40), st.floats(-40, 40), st.floats(-40, 40)),
    st.floats(0, 30),
)
def test_a_window_holds_every_voxel_within_the_radius(centre, radius):
    centre = np.array(centre)
    z, y, x = GRID.offsets(GRID.whole, centre)
    inside = np.sqrt(z * z + y * y + x * x) < radius - 1e-3
    window = GRID.window(centre, radius)
    assert inside.sum() == inside[window].sum()


def test_offsets_are_millimetres_from_the_centre():
    z, y, x = GRID.offsets(GRID.whole, GRID.position((4, 5, 6)))
    assert (z[4, 0, 0], y[0, 5, 0], x[0, 0, 6]) == (0, 0, 0)
    assert (z[5, 0, 0], y[0, 6, 0], x[0, 0, 7]) == (3.0, 1.5, 2.0)


def test_smooth_field_has_unit_variance_and_varies_over_its_scale():
    fields = np.array([smooth_field(np.random.default_rng(seed), GRID, 12.0) for seed in range(60)])
    assert abs(fields.mean()) < 0.1
    assert abs(fields.std() - 1) < 0.08
    near = (fields[:, :, :-1] * fields[:, :, 1:]).mean()  # 1.5 mm apart
    far = (fields[:, :, :-24] * fields[:, :, 24:]).mean()  # 36 mm apart
    assert near > 0.95
    assert abs(far) < 0.1


def test_ramp_is_a_half_at_the_surface_with_slope_one_over_width():
    distance = np.array([-50, -0.01, 0, 0.01, 50], dtype=np.float32)
    share = ramp(distance, 4.0)
    assert share[[0, 2, 4]].tolist() == [1, 0.5, 0]
    assert np.isclose((share[1] - share[3]) / 0.02, 1 / 4, rtol=1e-3)
