"""Numbers of lesions."""

from __future__ import annotations

import numpy as np

from losses.target_maps import compute


def test_lesions_are_numbered_in_the_order_of_their_first_voxels(equals):
    equals("lesion_id", lambda mask: mask.number)


def test_corners_connect_and_a_gap_separates():
    mask = np.array([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]])
    assert compute("lesion_id", mask).tolist() == [[1, 0, 0, 2], [0, 1, 0, 2], [0, 0, 0, 0], [3, 0, 0, 0]]


def test_hundreds_of_lesions_have_numbers_of_their_own():
    mask = np.zeros((20, 40, 40), bool)
    mask[::2, ::2, ::2] = True
    numbers = compute("lesion_id", mask)
    assert numbers.max() == mask.sum() == 4000
    assert (compute("norm_inverse", mask) == mask).all()
