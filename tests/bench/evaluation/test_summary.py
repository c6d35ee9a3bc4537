"""Means over cases, each with its denominator."""

from __future__ import annotations

import math

import numpy as np

from bench.evaluation.scoring import score
from bench.evaluation.summary import summarise

SHAPE, SPACING_MM = (6, 8), (1.0, 1.0)
DIAGONAL_MM = 10.0


def row(*slices):
    mask = np.zeros(SHAPE, dtype=bool)
    for one in slices:
        mask[one] = True
    return mask


TARGET, NEAR = row(np.s_[2, 1:5]), row(np.s_[3, 1:5])
NOTHING = row()


def records(*pairs):
    return [score(*pair, SPACING_MM) for pair in pairs]


def test_the_headline_is_over_cases_with_target_and_the_others_stand_apart():
    summary = summarise(records((TARGET, TARGET), (TARGET, NEAR), (NOTHING, NOTHING), (NOTHING, NEAR)))
    assert (summary.cases, summary.cases_with_target, summary.cases_without_target) == (4, 2, 2)
    assert summary.with_target["dice"].mean == 0.5
    assert summary.without_target["dice"].mean == 0.5
    assert summary.false_positive_volume_mm3 == 2
    assert summary.share_clean == 0.5
    assert summary.pooled["dice_global"] == 0.5


def test_the_mean_distance_holds_the_penalty_and_the_median_does_not():
    found = summarise(records((TARGET, NEAR), (TARGET, NOTHING))).with_target["max_surface_distance_mm"]
    assert found.mean == (1 + DIAGONAL_MM) / 2
    assert (found.median, found.measured, found.defined) == (1, 1, 2)


def test_relative_volumes_do_not_cancel_in_the_median():
    double, half = row(np.s_[2:4, 1:5]), row(np.s_[2, 1:3])
    summary = summarise(records((TARGET, double), (TARGET, half), (TARGET, NOTHING)))
    found = summary.with_target["relative_volume_difference"]
    assert found.mean == (1 - 0.5 - 1) / 3
    assert (found.median, found.measured) == (1, 3)
    assert summary.empty_predictions == 1


def test_an_undefined_value_is_counted_and_averaged_nowhere():
    found = summarise(records((NOTHING, NEAR), (NOTHING, NOTHING))).without_target["relative_volume_difference"]
    assert (found.mean, found.defined, found.undefined) == (0, 1, 1)


def test_groups_without_cases_have_no_mean():
    summary = summarise(records((TARGET, TARGET)))
    assert math.isnan(summary.share_clean)
    assert math.isnan(summary.without_target["dice"].mean)
    assert summary.without_target["dice"].defined == 0
