from __future__ import annotations

import numpy as np

from bench.data.preview import make_preview

WHOLE = ((0, 30), (0, 8), (0, 9))


def test_the_slice_of_the_largest_target_area_comes_first():
    reference = np.zeros((30, 8, 9), np.int8)
    reference[3, :2, :2], reference[12, :5, :5], reference[13, :4, :4], reference[25, 0, 0] = 1, 2, 1, 1
    image = np.random.default_rng(0).normal(size=reference.shape).astype(np.float32)
    preview = make_preview(image, reference, WHOLE, None)
    assert preview.index == (12, 3, 25)
    assert preview.image.shape == preview.labels.shape == (3, 8, 9)
    assert np.array_equal(preview.labels[0], reference[12])


def test_a_case_without_target_shows_its_middle():
    image = np.zeros((30, 8, 9), np.float32)
    assert make_preview(image, np.zeros(image.shape, np.int8), WHOLE, None).index == (15,)
    assert make_preview(image, None, ((10, 20), *WHOLE[1:]), None).index == (15,)


def test_slices_are_cut_to_the_box_and_numbered_on_the_native_grid():
    reference = np.zeros((30, 8, 9), np.int8)
    reference[20, 3, 4] = 1
    image = np.random.default_rng(0).normal(size=reference.shape).astype(np.float32)
    preview = make_preview(image, reference, ((18, 25), (2, 6), (3, 9)), None)
    assert preview.index == (20,)
    assert preview.box == ((2, 6), (3, 9))
    assert np.array_equal(preview.labels[0], reference[20, 2:6, 3:9])


def test_the_window_becomes_grey_levels():
    image = np.array([[-100, -60, 40, 140, 500]], np.float32)
    preview = make_preview(image, None, ((0, 1), (0, 5)), (-60.0, 140.0))
    assert preview.index == (0,)
    assert preview.image.tolist() == [[[0, 0, 128, 255, 255]]]


def test_a_constant_image_is_shown_without_complaint():
    assert make_preview(np.full((4, 5), 7, np.float32), None, ((0, 4), (0, 5)), None).image.shape == (1, 4, 5)
