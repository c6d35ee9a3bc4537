from __future__ import annotations

import numpy as np

from bench.data.classes import class_map, roi_mask, unmentioned_labels
from bench.data.settings import DatasetSettings

LABELS = np.array([[0, 1, 2, 3], [255, -1, -32768, 32767]], np.int16)


def test_classes_are_numbered_in_suite_order_and_other_values_are_background():
    settings = DatasetSettings(format="toy", target={"b": (2, 32767), "a": (1,)}, ignore_label=255)
    assert class_map(LABELS, settings).tolist() == [[0, 2, 1, 0], [-1, 0, 0, 1]]
    assert class_map(LABELS, settings).dtype == np.int8


def test_a_negative_label_can_be_ignored():
    settings = DatasetSettings(format="toy", target=(1,), ignore_label=-1)
    assert class_map(LABELS, settings).tolist() == [[0, 1, 0, 0], [0, -1, 0, 0]]


def test_the_region_of_interest_is_taken_from_the_labels_of_the_file():
    settings = DatasetSettings(format="toy", target=(2,), roi=(1, 2))
    assert roi_mask(LABELS, settings).tolist() == [[False, True, True, False], [False] * 4]
    assert roi_mask(LABELS, DatasetSettings(format="toy", target=(2,))) is None


def test_values_that_the_suite_does_not_mention_are_counted():
    settings = DatasetSettings(format="toy", target=(2,), roi=(1, 2), ignore_label=255)
    assert unmentioned_labels(LABELS, settings) == {3: 1, -1: 1, -32768: 1, 32767: 1}
    assert unmentioned_labels(np.zeros((3, 4, 5), np.int16), settings) == {}


def test_labels_that_are_not_contiguous_are_mapped_too():
    settings = DatasetSettings(format="toy", target=(2,))
    assert np.array_equal(class_map(LABELS.T, settings), class_map(LABELS, settings).T)
    assert unmentioned_labels(LABELS.T, settings) == unmentioned_labels(LABELS, settings)
