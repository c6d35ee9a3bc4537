"""O-DM."""

from __future__ import annotations

import numpy as np

from losses.target_maps import compute


def test_it_is_the_depth_of_each_lesion_voxel(equals):
    equals("distance", lambda mask: mask.depth)


def test_the_row_of_five_counts_to_its_middle():
    mask = np.array([[0] * 7, [0, 1, 1, 1, 1, 1, 0], [0] * 7])
    assert compute("distance", mask)[1].tolist() == [0, 1, 1, 1, 1, 1, 0]
    assert compute("distance", np.repeat(mask[1:2], 9, 0))[4].tolist() == [0, 1, 2, 3, 2, 1, 0]


def test_a_lesion_at_the_border_of_the_volume_goes_on_outside():
    assert compute("distance", np.tile([1, 1, 1, 0], (4, 1)))[0].tolist() == [3, 2, 1, 0]


def test_where_there_is_no_background_everything_outside_is():
    assert compute("distance", np.ones((5, 5), bool))[2].tolist() == [1, 2, 3, 2, 1]
    assert compute("distance", np.ones((4, 4, 4), bool)).max() == 2


def test_ignored_voxels_are_background():
    assert compute("distance", np.tile([1, 1, 1, -1], (4, 1)))[0].tolist() == [3, 2, 1, 0]


def test_thick_slices_count_in_millimetres():
    mask = np.zeros((5, 9, 9), int)
    mask[1:4, 2:7, 2:7] = 1
    assert compute("distance", mask, (5.0, 0.7, 0.7))[2, 4, 4] == np.float32(2.1)
    assert compute("distance", mask)[2, 4, 4] == 2
