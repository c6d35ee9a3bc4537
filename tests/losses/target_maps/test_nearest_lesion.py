"""Voronoi cells."""

from __future__ import annotations

import numpy as np

from losses.target_maps import compute


def test_every_voxel_has_the_number_of_a_lesion_that_none_is_nearer_than(for_all_masks, define):
    def check(mask, spacing):
        known, numbers = define(mask, spacing), compute("nearest_lesion", mask, spacing)
        if not known.count:
            assert not numbers.any()
            return
        looked_at = mask >= 0
        assert (numbers[~looked_at] == 0).all()
        assert (numbers[known.foreground] == known.number[known.foreground]).all()
        chosen = np.take_along_axis(known.to_lesion, numbers.clip(1)[None] - 1, axis=0)[0]
        np.testing.assert_allclose(chosen[looked_at], known.outside[looked_at], atol=1e-9)

    for_all_masks(check)


def test_the_middle_between_two_lesions_divides_the_volume():
    mask = np.zeros((3, 8), int)
    mask[:, 1] = mask[:, 6] = 1
    assert compute("nearest_lesion", mask).tolist() == [[1, 1, 1, 1, 2, 2, 2, 2]] * 3
