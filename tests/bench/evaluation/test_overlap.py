"""Voxel counts and the formulas on them."""

from __future__ import annotations

import numpy as np
import pytest

from bench.evaluation.metrics import pool
from bench.evaluation.overlap import OverlapCounts, overlap_counts
from bench.evaluation.scoring import score


def test_counts_and_formulas_of_a_hand_made_pair():
    counts = overlap_counts(np.array([[1, 1, 1, 0]], bool), np.array([[0, 1, 1, 1]], bool))
    assert counts == (2, 3, 3)
    assert counts.dice == 2 / 3
    assert counts.volumetric_overlap_error == 0.5
    assert counts.relative_volume_difference == 0


def test_ignored_voxels_are_not_counted():
    mask = np.ones((1, 4), bool)
    assert overlap_counts(mask, mask, ignore=np.array([[1, 0, 0, 0]], bool)) == (3, 3, 3)


def test_both_empty_is_perfect_overlap():
    nothing = OverlapCounts(0, 0, 0)
    assert nothing.dice == 1
    assert nothing.volumetric_overlap_error == 0


def test_global_dice_pools_voxels_instead_of_averaging_cases():
    large, small = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    large[:9] = True
    small[0, 0] = True
    records = [score(large, large, (1, 1)), score(small, ~small & ~large, (1, 1))]
    assert pool(records)["dice_global"] == pytest.approx(2 * 90 / (90 + 90 + 1 + 10))
    assert np.mean([record["dice"] for record in records]) == 0.5


def test_global_dice_counts_what_was_found_in_cases_without_target():
    mask, empty = np.ones((3, 3), bool), np.zeros((3, 3), bool)
    assert pool([score(mask, mask, (1, 1)), score(empty, mask, (1, 1))])["dice_global"] == pytest.approx(2 / 3)


def test_global_dice_of_no_case_is_undefined_and_of_empty_cases_perfect():
    empty = np.zeros((3, 3), bool)
    assert np.isnan(pool([])["dice_global"])
    assert pool([score(empty, empty, (1, 1))])["dice_global"] == 1
