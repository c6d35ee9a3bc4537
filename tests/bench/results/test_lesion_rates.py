from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean, median

import pytest

from bench.evaluation.lesion_summary import summarise_lesions
from bench.results.aggregates import View, aggregate
from bench.results.lesion_rates import small_below_mm3
from bench.results.load import load


def rates(run, **view):
    (table,) = aggregate(run, [View(group="lesions", target="target", **view)])
    return {row.method: row.values for row in table.rows}


def test_small_is_below_the_median_of_each_lesion_taken_once(written):
    run = load(written)
    one = run.lesions[(run.lesions["cell"] == "dice-s0-f0-abc") & (run.lesions["block"] == "best")]
    volumes = one.loc[one["kind"] == "lesion", "volume_mm3"]
    assert len(volumes) == 8
    assert small_below_mm3(run, "main", "target") == median(volumes)


def test_the_threshold_does_not_move_when_a_cell_is_missing(builder):
    whole = small_below_mm3(load(builder.write()), "main", "target")
    run = load(builder.path)
    cut = replace(run, lesions=run.lesions[run.lesions["cell"] != "dice-s0-f0-abc"])
    assert small_below_mm3(cut, "main", "target") == whole


def test_rates_agree_with_a_summary_per_seed(written):
    run = load(written)
    for method, values in rates(run).items():
        of = run.lesions[(run.lesions["method"] == method) & (run.lesions["block"] == "best")]
        seeds = [summarise_lesions(part.to_dict("records"), cases=5) for _, part in of.groupby("seed")]
        assert values["recall_small_lesions"].mean == pytest.approx(fmean(s.small_recall for s in seeds))
        assert values["recall_large_lesions"].mean == pytest.approx(fmean(s.large_recall for s in seeds))
        assert values["false_positives_per_case"].mean == pytest.approx(
            fmean(s.false_positives_per_case for s in seeds)
        )
        assert values["false_positives_on_look_alikes_per_case"].mean == pytest.approx(
            fmean(s.false_positives_on_distractors_per_case for s in seeds)
        )


def test_recall_is_over_lesions_and_false_positives_over_all_cases(written):
    values = rates(load(written))["ce"]
    assert (values["recall_small_lesions"].n, values["recall_small_lesions"].scores) == (4, 8)
    assert values["false_positives_per_case"].n == 5


def test_false_positives_on_look_alikes_are_undefined_where_look_alikes_are_unknown(written):
    run = load(written)
    unknown = run.lesions.assign(on_distractor=math.nan)
    values = rates(replace(run, lesions=unknown))["ce"]
    assert math.isnan(values["false_positives_on_look_alikes_per_case"].mean)
    assert values["false_positives_per_case"].mean > 0


def test_a_method_without_a_single_component_has_zero_false_positives(builder):
    builder.methods = {"nothing": 0.0, "dice": 0.8}
    builder.empty = frozenset()
    values = rates(load(builder.write()))["nothing"]
    assert values["false_positives_per_case"].mean == 0
    assert values["recall_large_lesions"].mean == 0
