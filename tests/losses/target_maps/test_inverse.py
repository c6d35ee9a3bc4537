"""I-DM."""

from __future__ import annotations

import numpy as np

from losses.target_maps import compute


def test_it_is_largest_at_the_rim_of_every_lesion(equals):
    equals("inverse", lambda mask: np.where(mask.foreground, mask.deepest + mask.rim - mask.depth, 0))


def test_in_voxels_it_is_the_largest_distance_plus_one_minus_the_distance():
    mask = np.tile([0, 1, 1, 1, 1, 1, 0], (9, 1))
    assert compute("inverse", mask)[4].tolist() == [0, 3, 2, 1, 2, 3, 0]


def test_a_lesion_of_one_voxel_is_one():
    mask = np.zeros((3, 3, 3), int)
    mask[1, 1, 1] = 1
    assert compute("inverse", mask)[1, 1, 1] == 1
