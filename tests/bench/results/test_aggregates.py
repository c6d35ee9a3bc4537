from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean, median, stdev

import pytest

from bench.errors import RunError
from bench.results.aggregates import View, aggregate, headline_view, views
from bench.results.load import load


def rows(run, **view):
    view = {"target": "target", **view}
    (table,) = aggregate(run, [View(**view)])
    return {row.method: row for row in table.rows}


def scores(run, method, column, block="best", keep=lambda c: c["reference_voxels"] > 0):
    """case → values over seeds, by plain Python."""
    found = {}
    for _, case in run.cases.iterrows():
        if case["method"] == method and case["block"] == block and keep(case):
            found.setdefault(case["case"], []).append(case[column])
    return found


def test_headline_is_the_best_checkpoint_on_cases_with_target(written):
    run = load(written)
    assert headline_view(run) == View("main", "best", "with_target", "target")
    per_case = {case: fmean(values) for case, values in scores(run, "ce", "dice").items()}
    assert "011" not in per_case
    row = rows(run)["ce"]
    assert row.values["dice"].mean == pytest.approx(fmean(per_case.values()))
    assert row.values["dice"].sd == pytest.approx(stdev(per_case.values()))


def test_the_last_checkpoint_has_its_own_tables(written):
    run = load(written)
    last = scores(run, "dice", "dice", block="last")
    assert rows(run, block="last")["dice"].values["dice"].mean == pytest.approx(fmean(map(fmean, last.values())))
    assert {view.block for view in views(run)} == {"best", "last"}


def test_rows_come_in_the_order_of_the_suite(written):
    assert list(rows(load(written))) == ["dice", "ce", "tversky"]


def test_every_row_has_its_denominators(written):
    row = rows(load(written))["ce"]
    assert (row.cells, row.seeds, row.folds) == ((2, 2), (2, 2), (1, 1))
    assert (row.cases, row.patients, row.missing_scores) == (4, 3, 0)
    assert row.state == "complete"


def test_empty_predictions_are_counted_and_cost_the_diagonal_in_the_mean_but_not_in_the_median(written):
    run = load(written)
    value = rows(run)["ce"].values["hausdorff95_mm"]
    all_pairs = [x for values in scores(run, "ce", "hausdorff95_mm").values() for x in values]
    scored = scores(run, "ce", "hausdorff95_mm", keep=lambda c: c["reference_voxels"] * c["prediction_voxels"] > 0)
    pairs = [x for values in scored.values() for x in values]
    assert (value.scores, value.median_n) == (8, 6)
    assert value.mean == pytest.approx(fmean(all_pairs))
    assert value.median == pytest.approx(median(pairs))
    empty = rows(run)["ce"].values["empty_prediction"]
    assert (empty.total, empty.scores) == (2, 8)


def test_median_rvd_is_of_the_absolute_value(written):
    run = load(written)
    values = [abs(x) for xs in scores(run, "ce", "relative_volume_difference").values() for x in xs]
    row = rows(run)["ce"]
    assert row.values["absolute_relative_volume_difference"].median == pytest.approx(median(values))
    assert row.values["relative_volume_difference"].mean < 0


def test_dg_is_pooled_over_cases_within_each_seed(written):
    run = load(written)
    found = run.cases[(run.cases["method"] == "ce") & (run.cases["block"] == "best")]
    found = found[found["reference_voxels"] > 0]
    expected = [
        2 * part["intersection_voxels"].sum() / (part["reference_voxels"] + part["prediction_voxels"]).sum()
        for _, part in found.groupby("seed")
    ]
    value = rows(run)["ce"].values["dice_global"]
    assert value.mean == pytest.approx(fmean(expected))
    assert value.seed_sd == pytest.approx(stdev(expected))


def test_cases_without_target_have_their_own_group(written):
    run = load(written)
    row = rows(run, group="without_target")["ce"]
    volumes = scores(run, "ce", "prediction_volume_mm3", keep=lambda c: c["reference_voxels"] == 0)
    assert row.cases == 1
    assert row.values["false_positive_volume_mm3"].mean == pytest.approx(fmean(volumes["011"]))
    assert row.values["clean"].mean == fmean(volume == 0 for volume in volumes["011"])
    assert set(row.values) == {"false_positive_volume_mm3", "clean"}


def test_all_cases_count_what_is_undefined(written):
    row = rows(load(written), group="all")["ce"]
    rvd = row.values["relative_volume_difference"]
    assert row.cases == 5
    assert rvd.n + (rvd.undefined > 0) == 5
    assert rvd.scores + rvd.undefined == 10
    assert rvd.undefined > 0


def test_a_partly_finished_row_says_how_much_of_it_is_there(builder):
    builder.ended = {("ce", 1): ("planned", "")}
    row = rows(load(builder.write()))["ce"]
    assert row.state == "partial"
    assert (row.cells, row.seeds, row.missing_scores) == ((1, 2), (1, 2), 5)
    assert list(row.values["dice"].seed_means) == [0]
    assert row.troubles == ()


def test_a_row_that_only_diverged_has_a_reason_and_no_numbers(builder):
    builder.ended = {("ce", seed): ("diverged", f"nan at step {seed}") for seed in (0, 1)}
    row = rows(load(builder.write()))["ce"]
    assert row.state == "diverged"
    assert row.values == {}
    assert [(t.seed, t.reason) for t in row.troubles] == [(0, "nan at step 0"), (1, "nan at step 1")]
    assert row.missing_scores == 10


def test_a_case_that_a_finished_cell_lacks_is_missing(written, rewrite):
    path = written.cell("ce-s0-f0-abc") / "cases.csv"
    rewrite(path, lambda text: "".join(line for line in text.splitlines(True) if ",010," not in line))
    row = rows(load(written))["ce"]
    assert row.state == "complete"
    assert row.missing_scores == 1
    assert row.cases == 4


def test_folds_are_pooled_and_a_seed_counts_only_when_all_its_folds_are_there(builder):
    builder.folds = (0, 1)
    run = load(builder.write())
    row = rows(run)["dice"]
    assert (row.cells, row.folds, row.cases) == ((4, 4), (2, 2), 4)
    assert list(row.values["dice"].seed_means) == [0, 1]
    cells = run.cells.copy()
    lost = "dice-s1-f1-abc"
    cells.loc[cells["cell"] == lost, "status"] = "planned"
    cut = replace(run, cells=cells, cases=run.cases[run.cases["cell"] != lost])
    assert list(rows(cut)["dice"].values["dice"].seed_means) == [0]


def test_several_classes_have_a_block_each_and_their_mean_first(builder):
    builder.classes = ("large", "small")
    run = load(builder.write())
    assert list(dict.fromkeys(view.target for view in views(run))) == [None, "large", "small"]
    assert headline_view(run).target is None
    single = [rows(run, target=name)["dice"].values["dice"] for name in builder.classes]
    mean = rows(run, target=None)["dice"].values["dice"]
    assert mean.mean == pytest.approx(fmean(value.mean for value in single))
    assert mean.n == 2
    assert math.isnan(mean.sd)
    assert rows(run, target="small")["dice"].cases == 2


def test_every_data_set_has_its_own_tables(builder):
    builder.datasets = ("main", "clinic")
    run = load(builder.write())
    assert {view.dataset for view in views(run)} == {"main", "clinic"}
    assert rows(run, dataset="clinic")["dice"].cases == 4


def test_a_run_without_finished_cells_still_has_rows(builder):
    builder.ended = {(m, s): ("planned", "") for m in builder.methods for s in builder.seeds}
    found = rows(load(builder.write()), target=None)
    assert {row.state for row in found.values()} == {"planned"}
    assert all(row.values == {} for row in found.values())


def test_a_group_without_cases_has_no_values_but_its_columns(builder):
    builder.cases = {"011": "d"}
    run = load(builder.write())
    row = rows(run)["tversky"]
    assert row.cases == 0
    assert all(math.isnan(value.mean) for value in row.values.values())
    assert "dice_global" in row.values
    lesions = rows(run, group="lesions")["tversky"].values
    assert math.isnan(lesions["recall_small_lesions"].mean)
    assert lesions["false_positives_per_case"].n == 1


def test_unequal_treatment_is_refused(builder):
    builder.cell = lambda method, seed, fold: {"start_digest": "other"} if (method, seed) == ("ce", 1) else {}
    with pytest.raises(RunError, match="cannot stand in one table"):
        aggregate(load(builder.write()))
