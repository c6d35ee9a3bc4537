"""Signed distance."""

from __future__ import annotations

import numpy as np

from losses.target_maps import compute


def test_it_is_zero_on_the_rim_negative_inside_and_positive_outside(equals):
    def formula(mask):
        if not mask.count:
            return np.zeros(mask.mask.shape)
        return np.where(mask.foreground, mask.rim - mask.depth, mask.outside)

    equals("signed_distance", formula)


def test_a_square_by_hand():
    mask = np.zeros((7, 9), int)
    mask[1:6, 2:7] = 1
    assert compute("signed_distance", mask)[3].tolist() == [2, 1, 0, -1, -2, -1, 0, 1, 2]


def test_voxels_below_one_millimetre_do_not_lift_the_rim_above_zero():
    mask = np.zeros((7, 9), int)
    mask[1:6, 2:7] = 1
    values = compute("signed_distance", mask, (0.5, 0.5))
    assert values[mask == 1].max() == 0
    assert values[3, 4] == -1


def test_without_a_lesion_it_is_zero():
    assert not compute("signed_distance", np.zeros((3, 4), int)).any()
