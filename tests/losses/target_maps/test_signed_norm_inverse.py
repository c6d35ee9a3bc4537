"""SNI-DM."""

from __future__ import annotations

import numpy as np

from losses.target_maps import compute


def formula(mask):
    if not mask.count:
        return np.full(mask.mask.shape, -1.0)
    inside = (mask.deepest + mask.rim - mask.depth) / mask.deepest.clip(1e-9)
    return np.where(mask.foreground, inside, -mask.outside / max(mask.outside.max(), 1e-9))


def test_it_is_ni_dm_inside_and_falls_to_minus_one_outside(equals):
    equals("signed_norm_inverse", formula)


def test_it_jumps_at_the_boundary_and_is_not_inverted_outside():
    mask = np.zeros((1, 9), int)
    mask[0, :4] = 1
    np.testing.assert_allclose(compute("signed_norm_inverse", mask)[0, 3:], [1, -0.2, -0.4, -0.6, -0.8, -1], rtol=1e-6)


def test_a_mask_without_background_is_ni_dm_alone():
    full = np.ones((5, 6, 7), int)
    np.testing.assert_array_equal(compute("signed_norm_inverse", full), compute("norm_inverse", full))


def test_without_a_lesion_everything_is_as_far_as_can_be():
    assert (compute("signed_norm_inverse", np.zeros((3, 4), int)) == -1).all()
    assert compute("signed_norm_inverse", np.array([[0, -1]])).tolist() == [[-1, 0]]
