"""The quality of a regressed map, against numbers worked out by hand."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from bench.evaluation.regression import BINS, PatchQuality, patch_quality, quality_table

TARGET = np.array([0.0, 0.0, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0], np.float32)
MASK = TARGET > 0
VALUES = np.array([0.25, 0.0, 0.25, 0.0, 0.75, 0.0, 0.0, 0.0], np.float32)


def patch(fraction: float, dice: float, error: float, *map_values: float) -> PatchQuality:
    return PatchQuality(fraction, dice, error, 0.0, np.array(map_values))


def empty(largest: float) -> PatchQuality:
    return PatchQuality(0.0, np.nan, np.nan, largest, np.array([]))


def test_a_patch_is_measured_inside_and_outside_its_lesions():
    found = patch_quality(VALUES, TARGET, MASK, threshold=0.0)
    assert found.fraction == 2 / 8
    assert found.dice == pytest.approx(2 * 1 / (3 + 2))
    assert found.error == pytest.approx((0.25 + 1.0) / 2)
    assert found.largest == 0.75
    assert found.map_values.tolist() == [0.5, 1.0]


@pytest.mark.parametrize(("threshold", "dice"), [(0.0, 2 / 5), (0.25, 0.0), (0.2, 2 / 5), (0.5, 0.0), (-1.0, 4 / 10)])
def test_only_values_above_the_threshold_are_inside(threshold, dice):
    assert patch_quality(VALUES, TARGET, MASK, threshold).dice == pytest.approx(dice)


def test_the_map_itself_is_perfect():
    found = patch_quality(TARGET, TARGET, MASK, 0.0)
    assert (found.dice, found.error, found.largest) == (1.0, 0.0, 0.0)


def test_a_patch_without_lesion_has_only_what_is_raised_outside():
    found = patch_quality(VALUES, np.zeros(8), np.zeros(8, bool), 0.0)
    assert (found.fraction, found.largest, found.map_values.size) == (0.0, 0.75, 0)
    assert np.isnan([found.dice, found.error]).all()


def test_a_patch_that_is_all_lesion_has_no_outside():
    found = patch_quality(np.full(4, 0.5), np.ones(4), np.ones(4, bool), 0.0)
    assert (found.fraction, found.dice, found.error) == (1.0, 1.0, 0.5)
    assert np.isnan(found.largest)


def test_a_patch_of_nothing_but_ignored_voxels_counts_as_one_without_lesion():
    found = patch_quality(np.zeros(0), np.zeros(0), np.zeros(0, bool), 0.0)
    assert found.fraction == 0.0
    assert np.isnan([found.dice, found.error, found.largest]).all()


def test_all_numbers_are_plain_so_that_checkpoints_and_json_take_them():
    for mask in (MASK, np.zeros(8, bool), np.ones(8, bool)):
        found = patch_quality(VALUES, TARGET, mask, 0.0)
        assert {type(value) for value in (found.fraction, found.dice, found.error, found.largest)} == {float}
    json.dumps(quality_table([patch_quality(VALUES, TARGET, MASK, 0.0)]), allow_nan=False)


def test_patches_are_told_apart_by_how_much_of_them_is_lesion():
    fractions = [1e-4, 1e-3, 2e-3, 0.01, 0.05, 0.1, 0.5, 1.0]
    table = quality_table([patch(fraction, fraction / 2, 0.1, 0.5) for fraction in fractions])
    rows = table["by_fraction"]
    assert [(row["above"], row["up_to"]) for row in rows] == list(pairwise(BINS))
    assert [row["patches"] for row in rows] == [2, 2, 2, 2], "an edge belongs to the bin below it"
    assert [row["dice"] for row in rows] == pytest.approx([0.000275, 0.003, 0.0375, 0.375])
    assert table["all"]["patches"] == 8


def test_the_constant_that_has_to_be_beaten_is_the_median_of_all_values_inside_lesions():
    table = quality_table([patch(0.2, 0.5, 0.1, 0.2, 0.4, 1.0), patch(0.05, 0.25, 0.3, 0.6, 0.8)])
    assert table["constant"] == 0.6
    large, small = table["by_fraction"][3], table["by_fraction"][2]
    assert large["constant_error"] == pytest.approx((0.4 + 0.2 + 0.4) / 3)
    assert small["constant_error"] == pytest.approx((0.0 + 0.2) / 2)
    assert large["constant_dice"] == pytest.approx(2 * 0.2 / 1.2)
    assert small["constant_dice"] == pytest.approx(2 * 0.05 / 1.05)
    expected = {"patches": 2, "dice": 0.375, "error": 0.2}
    assert {key: table["all"][key] for key in expected} == pytest.approx(expected)
    assert table["all"]["constant_error"] == pytest.approx((1 / 3 + 0.1) / 2), "every patch counts once"


def test_patches_without_lesion_are_in_no_mean_and_give_the_largest_value_of_all():
    table = quality_table([patch(0.2, 0.5, 0.1, 0.5), empty(0.25), empty(0.75)])
    assert table["without_lesion"] == {"patches": 2, "largest": 0.75}
    assert table["all"]["patches"] == 1
    assert table["all"]["dice"] == 0.5


def test_without_any_lesion_there_are_no_means():
    table = quality_table([empty(0.5)])
    nothing = {"patches": 0, "dice": None, "error": None, "constant_dice": None, "constant_error": None}
    assert table["constant"] is None
    assert table["all"] == nothing
    assert [{key: row[key] for key in nothing} for row in table["by_fraction"]] == [nothing] * 4


def test_without_patches_the_table_is_empty():
    assert quality_table([])["without_lesion"] == {"patches": 0, "largest": None}


def test_an_ignored_patch_among_those_without_lesion_does_not_hide_the_largest_value():
    ignored = patch_quality(np.zeros(0), np.zeros(0), np.zeros(0, bool), 0.0)
    for patches in ([ignored, empty(0.5)], [empty(0.5), ignored]):
        assert quality_table(patches)["without_lesion"]["largest"] == 0.5
    json.dumps(quality_table([ignored]), allow_nan=False)
