"""`score` on hand-made masks: every value can be worked out on paper."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

import bench.evaluation
from bench.errors import DataError
from bench.evaluation.metrics import EMPTY_POLICY, METRICS
from bench.evaluation.scoring import SCORE_COLUMNS, score

DISTANCES = (
    "average_symmetric_surface_distance_mm",
    "max_surface_distance_mm",
    "rms_surface_distance_mm",
    "hausdorff95_mm",
)


def voxels(shape, *where):
    mask = np.zeros(shape, dtype=bool)
    for index in where:
        mask[index] = True
    return mask


def test_the_room_exports_score_without_importing_anything_at_start():
    code = "import bench.evaluation, sys; print([m for m in ('torch', 'numpy', 'scipy', 'monai') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert bench.evaluation.score is score


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="scores"):
        _ = bench.evaluation.scores


def test_every_per_case_metric_and_every_count_is_in_the_record():
    mask = voxels((4, 4, 4), (1, 1, 1))
    record = score(mask, mask, (1, 1, 1))
    counts = ("intersection_voxels", "reference_voxels", "prediction_voxels")
    volumes = ("reference_volume_mm3", "prediction_volume_mm3")
    assert tuple(record) == SCORE_COLUMNS
    assert tuple(score(mask, np.zeros_like(mask), (1, 1, 1))) == SCORE_COLUMNS
    assert set(SCORE_COLUMNS) == {key for key, metric in METRICS.items() if not metric.pooled}.union(counts, volumes)


def test_a_perfect_prediction_is_perfect_in_every_metric():
    mask = np.zeros((6, 7, 8), dtype=np.uint8)
    mask[1:4, 2:6, 3:5] = 1
    record = score(mask, mask, (2.5, 0.7, 0.7))
    assert (record["dice"], record["surface_dice"]) == (1, 1)
    assert record["volumetric_overlap_error"] == record["relative_volume_difference"] == 0
    assert [record[key] for key in DISTANCES] == [0, 0, 0, 0]


def test_two_single_voxels_two_slices_apart():
    record = score(voxels((6, 5, 5), (1, 2, 2)), voxels((6, 5, 5), (3, 2, 2)), (2.5, 1, 1), tolerance_mm=4.9)
    assert record["dice"] == 0
    assert record["volumetric_overlap_error"] == 1
    assert record["relative_volume_difference"] == 0
    assert [record[key] for key in DISTANCES] == [5, 5, 5, 5]
    assert record["surface_dice"] == 0
    assert record["reference_volume_mm3"] == record["prediction_volume_mm3"] == 2.5


def test_relative_volume_difference_is_positive_for_over_segmentation():
    small, large = voxels((8, 8), np.s_[2:4, 2:4]), voxels((8, 8), np.s_[2:6, 2:4])
    assert score(small, large, (1, 1))["relative_volume_difference"] == 1
    assert score(large, small, (1, 1))["relative_volume_difference"] == -0.5


def test_a_distance_equal_to_the_tolerance_is_within_it_in_spite_of_rounding():
    apart = voxels((9, 9), (2, 2)), voxels((9, 9), (2, 5))
    assert 3 * 0.8 > 2.4
    assert score(*apart, (0.8, 0.8), tolerance_mm=2.4)["surface_dice"] == 1
    assert score(*apart, (0.8, 0.8), tolerance_mm=2.39)["surface_dice"] == 0


def test_both_masks_empty_is_perfect():
    empty = np.zeros((4, 5, 6), dtype=bool)
    record = score(empty, empty, (3, 1, 1))
    assert (record["dice"], record["surface_dice"]) == (1, 1)
    assert record["volumetric_overlap_error"] == record["relative_volume_difference"] == 0
    assert [record[key] for key in DISTANCES] == [0, 0, 0, 0]


def test_empty_prediction_costs_the_volume_diagonal():
    mask = voxels((2, 3, 6), (0, 1, 1))
    record = score(mask, np.zeros_like(mask), (3, 1, 1))
    assert (record["dice"], record["surface_dice"]) == (0, 0)
    assert record["volumetric_overlap_error"] == 1
    assert record["relative_volume_difference"] == -1
    assert [record[key] for key in DISTANCES] == [9, 9, 9, 9]


def test_prediction_without_target_costs_the_diagonal_and_has_no_relative_volume():
    mask = voxels((2, 3, 6), (0, 1, 1))
    record = score(np.zeros_like(mask), mask, (3, 1, 1))
    assert (record["dice"], record["surface_dice"]) == (0, 0)
    assert record["volumetric_overlap_error"] == 1
    assert math.isnan(record["relative_volume_difference"])
    assert [record[key] for key in DISTANCES] == [9, 9, 9, 9]
    assert record["prediction_volume_mm3"] == 3


def test_the_diagonal_is_that_of_the_whole_volume_in_two_dimensions_too():
    mask = voxels((3, 4), (0, 0))
    assert score(mask, np.zeros_like(mask), (1, 1))["hausdorff95_mm"] == 5


def test_the_policy_in_words_names_every_situation_and_every_per_case_metric():
    situations = EMPTY_POLICY.rstrip(".").split("; ")
    assert len(situations) == 3
    labels = [metric.label for metric in METRICS.values() if not metric.pooled]
    assert all(label in situation for situation in situations for label in labels)
    assert "RVD undefined (counted)" in EMPTY_POLICY
    assert "RVD = −1" in EMPTY_POLICY


def test_ignored_voxels_count_in_neither_mask():
    reference, prediction = voxels((5, 5), np.s_[1:4, 1:4]), voxels((5, 5), np.s_[1:4, 1:5])
    ignore = voxels((5, 5), np.s_[:, 4])
    record = score(reference, prediction, (1, 1), ignore=ignore)
    assert record["dice"] == 1
    assert record["max_surface_distance_mm"] == 0
    assert record["prediction_voxels"] == 9


def test_a_reference_that_is_ignored_altogether_is_an_empty_reference():
    mask = voxels((5, 5), (2, 2))
    record = score(mask, mask, (1, 1), ignore=mask)
    assert record["reference_voxels"] == 0
    assert record["dice"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((3, 3)), np.zeros((3, 3), bool), (1, 1)), r"reference has type float64: expected a binary mask"),
        ((np.full((3, 3), 2), np.zeros((3, 3), bool), (1, 1)), r"reference holds values from 2 to 2.*labels == 2"),
        ((np.full((3, 3), -1), np.zeros((3, 3), bool), (1, 1)), r"from -1 to -1"),
        ((np.zeros((3, 3), bool), np.zeros((3, 4), bool), (1, 1)), r"prediction has shape \(3, 4\).*\(3, 3\)"),
        ((np.zeros((3, 3), bool), np.zeros((3, 3), bool), (1, 1, 1)), r"expected 2 finite numbers above 0"),
        ((np.zeros((3, 3), bool), np.zeros((3, 3), bool), (1, 0)), r"spacing_mm is \(1\.0, 0\.0\)"),
        ((np.zeros((3, 3), bool), np.zeros((3, 3), bool), (1, math.nan)), r"spacing_mm is \(1\.0, nan\)"),
        ((np.zeros((3,), bool), np.zeros((3,), bool), (1,)), r"expected 2 axes \(y, x\) or 3 axes \(z, y, x\)"),
    ],
)
def test_unusable_input_is_refused_with_what_was_given_and_expected(arguments, message):
    with pytest.raises(DataError, match=message):
        score(*arguments)


def test_an_ignore_mask_of_another_shape_is_refused():
    mask = np.zeros((3, 3), dtype=bool)
    with pytest.raises(DataError, match=r"ignore has shape \(2, 2\)"):
        score(mask, mask, (1, 1), ignore=np.zeros((2, 2), dtype=bool))


def test_a_negative_tolerance_is_refused():
    mask = np.zeros((3, 3), dtype=bool)
    with pytest.raises(DataError, match="tolerance_mm is -1"):
        score(mask, mask, (1, 1), tolerance_mm=-1)
