"""Per-lesion records: what is a lesion, when it is detected, what is a false positive."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.errors import DataError
from bench.evaluation.lesions import LESION_COLUMNS, equivalent_diameter, lesion_records


def volume(*boxes, shape=(10, 20, 20)):
    mask = np.zeros(shape, dtype=bool)
    for slices in boxes:
        mask[slices] = True
    return mask


def of_kind(records, kind):
    return [record for record in records if record["kind"] == kind]


def test_a_lesion_with_one_predicted_voxel_is_detected_with_its_covered_fraction():
    records = lesion_records(volume(np.s_[2:4, 2:4, 2:4]), volume(np.s_[2, 2, 2]), (3, 1, 1))
    assert records == [
        {
            "kind": "lesion",
            "voxels": 8,
            "volume_mm3": 24.0,
            "equivalent_diameter_mm": pytest.approx((6 * 24 / math.pi) ** (1 / 3)),
            "covered_fraction": 0.125,
            "on_distractor": pytest.approx(math.nan, nan_ok=True),
        }
    ]
    assert tuple(records[0]) == LESION_COLUMNS


def test_a_missed_lesion_has_nothing_covered_and_a_predicted_neighbour_is_a_false_positive():
    """One voxel beside the lesion: connected to it, but no voxel in common."""
    records = lesion_records(volume(np.s_[2:4, 2:4, 2:4]), volume(np.s_[2, 2, 4]), (1, 1, 1))
    assert [(record["kind"], record["voxels"]) for record in records] == [("lesion", 8), ("false_positive", 1)]
    assert records[0]["covered_fraction"] == 0
    assert math.isnan(records[1]["covered_fraction"])


def test_voxels_that_share_a_corner_are_one_lesion():
    assert len(lesion_records(volume(np.s_[2, 2, 2], np.s_[3, 3, 3]), volume(), (1, 1, 1))) == 1
    flat = np.eye(4, dtype=bool)
    assert len(lesion_records(flat, np.zeros_like(flat), (1, 1))) == 1


def test_lesions_come_in_the_order_of_their_first_voxel():
    records = lesion_records(volume(np.s_[8, 1, 1], np.s_[0, 5, 5:7], np.s_[0, 9, 0:3]), volume(), (1, 1, 1))
    assert [record["voxels"] for record in records] == [2, 3, 1]


def test_one_prediction_across_two_lesions_detects_both():
    records = lesion_records(volume(np.s_[5, 5, 2:5], np.s_[5, 5, 8:12]), volume(np.s_[5, 5, 4:10]), (1, 1, 1))
    assert [record["covered_fraction"] for record in records] == [pytest.approx(1 / 3), 0.5]


def test_fragments_on_one_lesion_are_no_false_positives():
    records = lesion_records(volume(np.s_[5, 5, 2:9]), volume(np.s_[5, 5, 2], np.s_[5, 5, 8]), (1, 1, 1))
    assert [record["kind"] for record in records] == ["lesion"]


def test_a_false_positive_on_a_look_alike_is_told_from_one_elsewhere():
    found = volume(np.s_[1, 1, 1:4], np.s_[8, 8, 8])
    records = lesion_records(volume(), found, (2, 1, 1), distractors=volume(np.s_[1, 1, 3:9]))
    assert [(record["volume_mm3"], record["on_distractor"]) for record in records] == [(6.0, 1.0), (2.0, 0.0)]


def test_ignored_voxels_belong_to_no_lesion_and_no_false_positive():
    records = lesion_records(
        volume(np.s_[2, 2, 2:6]), volume(np.s_[9, 9, 9]), (1, 1, 1), ignore=volume(np.s_[2, 2, 4:], np.s_[9])
    )
    assert [record["voxels"] for record in records] == [2]


def test_no_masks_give_no_records():
    assert lesion_records(volume(), volume(), (1, 1, 1)) == []


def test_look_alikes_on_another_grid_are_refused():
    with pytest.raises(DataError, match=r"distractors has shape \(3, 3, 3\)"):
        lesion_records(volume(), volume(), (1, 1, 1), distractors=np.zeros((3, 3, 3), bool))


@pytest.mark.parametrize("axes", [2, 3])
def test_the_equivalent_diameter_of_a_ball_is_its_diameter(axes):
    size = math.pi * 5**2 if axes == 2 else 4 / 3 * math.pi * 5**3
    assert equivalent_diameter(size, axes) == pytest.approx(10)


def test_a_false_positive_is_on_no_look_alike_that_is_known_where_none_are_given():
    (record,) = lesion_records(volume(), volume(np.s_[1, 1, 1]), (1, 1, 1))
    assert record["kind"] == "false_positive"
    assert math.isnan(record["on_distractor"])
