from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean, median

import pytest

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


def counted_by_hand(records, cases):
    """The four rates of one cell, straight from their definitions."""
    lesions = [record for record in records if record["kind"] == "lesion"]
    false = [record for record in records if record["kind"] == "false_positive"]
    middle = median(lesion["volume_mm3"] for lesion in lesions)
    found = {True: [], False: []}
    for lesion in lesions:
        found[lesion["volume_mm3"] < middle].append(lesion["covered_fraction"] > 0)
    return {
        "recall_small_lesions": fmean(found[True]),
        "recall_large_lesions": fmean(found[False]),
        "false_positives_per_case": len(false) / cases,
        "false_positives_on_look_alikes_per_case": sum(record["on_distractor"] for record in false) / cases,
    }


def test_rates_are_the_mean_over_seeds_of_what_is_counted_by_hand(written):
    run = load(written)
    for method, values in rates(run).items():
        of = run.lesions[(run.lesions["method"] == method) & (run.lesions["block"] == "best")]
        seeds = [counted_by_hand(part.to_dict("records"), cases=5) for _, part in of.groupby("seed")]
        assert len(seeds) == 2
        assert {key: value.mean for key, value in values.items()} == {
            key: pytest.approx(fmean(seed[key] for seed in seeds)) for key in seeds[0]
        }


@pytest.mark.parametrize(
    ("lesions", "small", "large"),
    [
        ([(1, 0.0), (2, 0.1), (3, 0.0), (4, 1.0)], (0.5, 2), (0.5, 2)),
        ([(1, 0.0), (2, 1.0), (3, 1.0)], (0.0, 1), (1.0, 2)),
        ([(2, 1.0), (2, 0.0)], (math.nan, 0), (0.5, 2)),
    ],
)
def test_a_lesion_of_the_median_volume_is_a_large_one(written, lesions, small, large):
    """Volumes and covered fractions of the lesions of one case, as every cell saw them."""
    run = load(written)
    like = run.lesions[run.lesions["kind"] == "lesion"].groupby(["cell", "block"], sort=False).head(1)
    volumes, parts = ([pair[i] for pair in lesions] * len(like) for i in (0, 1))
    mine = like.loc[like.index.repeat(len(lesions))].assign(case="001", volume_mm3=volumes, covered_fraction=parts)
    values = rates(replace(run, lesions=mine))["ce"]
    for key, (recall, count) in {"recall_small_lesions": small, "recall_large_lesions": large}.items():
        assert values[key].mean == pytest.approx(recall, nan_ok=True)
        assert values[key].n == count


def test_without_a_lesion_recall_is_undefined_and_no_lesion_is_small(written):
    run = load(written)
    values = rates(replace(run, lesions=run.lesions[run.lesions["kind"] != "lesion"]))["ce"]
    assert math.isnan(values["recall_small_lesions"].mean)
    assert math.isnan(values["recall_large_lesions"].mean)
    assert small_below_mm3(replace(run, lesions=run.lesions[:0]), "main", "target") is None


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
