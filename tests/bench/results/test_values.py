from __future__ import annotations

import math
from statistics import fmean, stdev

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.results.values import Value, mean_over_classes, pooled, summarise


def records(*rows):
    """(case, seed, value) → frame."""
    return pd.DataFrame(rows, columns=["case", "seed", "x"]).assign(scored=True)


def one(frame, seeds=(0, 1)):
    return summarise(frame, ["x"], ["case"], seeds)["x"]


def test_seeds_are_averaged_before_cases():
    value = one(records(("a", 0, 1.0), ("b", 0, 0.0), ("b", 1, 0.0), ("b", 2, 0.0)))
    assert value.mean == 0.5
    assert value.n == 2
    assert value.scores == 4


def test_sd_is_over_cases():
    value = one(records(("a", 0, 0.2), ("a", 1, 0.4), ("b", 0, 0.8), ("b", 1, 0.8)))
    assert value.sd == pytest.approx(stdev([0.3, 0.8]))


def test_one_case_has_no_sd():
    assert math.isnan(one(records(("a", 0, 0.2))).sd)


def test_sd_of_the_per_seed_means_needs_two_complete_seeds():
    frame = records(("a", 0, 0.2), ("b", 0, 0.4), ("a", 1, 0.6), ("b", 1, 0.8))
    assert one(frame).seed_means == pytest.approx({0: 0.3, 1: 0.7})
    assert one(frame).seed_sd == pytest.approx(stdev([0.3, 0.7]))
    assert math.isnan(one(frame, seeds=(0,)).seed_sd)


def test_undefined_values_are_counted_and_in_no_mean():
    value = one(records(("a", 0, math.nan), ("a", 1, 0.5), ("b", 0, math.nan), ("b", 1, math.nan), ("c", 0, 0.7)))
    assert value.mean == pytest.approx(0.6)
    assert (value.n, value.scores, value.undefined) == (2, 2, 3)


def test_no_records_give_no_value():
    value = one(records())
    assert math.isnan(value.mean)
    assert value.n == 0


def test_median_of_a_distance_is_over_the_scored_pairs():
    frame = records(("a", 0, 1.0), ("b", 0, 3.0), ("c", 0, 500.0))
    frame["scored"] = [True, True, False]
    value = summarise(frame, ["x"], ["case"], (0,), scored=["x"])["x"]
    assert (value.median, value.median_n) == (2.0, 2)
    assert value.mean == pytest.approx(168.0)


@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abcdef"), st.integers(0, 3)),
        st.floats(-100, 100) | st.just(math.nan),
        min_size=1,
        max_size=20,
    )
)
def test_means_agree_with_the_definition(scores):
    value = one(records(*((case, seed, x) for (case, seed), x in scores.items())), seeds=range(4))
    per_case = {}
    for (case, _), x in scores.items():
        per_case.setdefault(case, [])
        if not math.isnan(x):
            per_case[case].append(x)
    means = [fmean(xs) for xs in per_case.values() if xs]
    assert value.n == len(means)
    assert value.undefined == sum(math.isnan(x) for x in scores.values())
    if means:
        assert value.mean == pytest.approx(fmean(means), abs=1e-9)
    else:
        assert math.isnan(value.mean)


def counts(*rows):
    columns = ["case", "seed", "intersection_voxels", "reference_voxels", "prediction_voxels"]
    return pd.DataFrame(rows, columns=columns)


def test_dg_pools_voxels_within_a_seed_and_averages_over_seeds():
    frame = counts(("a", 0, 10, 10, 10), ("b", 0, 0, 30, 0), ("a", 1, 10, 10, 10), ("b", 1, 30, 30, 30))
    value = pooled(frame, (0, 1))["dice_global"]
    assert value.seed_means == {0: pytest.approx(0.4), 1: 1.0}
    assert value.mean == pytest.approx(0.7)
    assert (value.n, value.scores) == (2, 4)
    assert math.isnan(value.sd)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8))
def test_dg_lies_between_zero_and_one(voxels):
    rows = [(str(i), 0, min(a, b, both), a, b) for i, (a, b, both) in enumerate(voxels)]
    assert 0 <= pooled(counts(*rows), (0,))["dice_global"].mean <= 1


def test_mean_over_classes_weighs_classes_alike_and_skips_one_without_value():
    values = [
        {"x": Value(0.2, n=10, seed_means={0: 0.1, 1: 0.3})},
        {"x": Value(0.6, n=2, undefined=1, seed_means={0: 0.5, 1: 0.7})},
        {"x": Value(math.nan)},
    ]
    mean = mean_over_classes(values)["x"]
    assert mean.mean == pytest.approx(0.4)
    assert mean.n == 2
    assert mean.undefined == 1
    assert mean.seed_means == pytest.approx({0: 0.3, 1: 0.5})
    assert math.isnan(mean.sd)
