from __future__ import annotations

import csv
import io

from bench.report.scores_csv import scores_csv
from bench.results.aggregates import aggregate, views
from bench.results.load import load


def lines(run):
    return list(csv.DictReader(io.StringIO(scores_csv(run, aggregate(run)))))


def test_every_table_row_and_quantity_is_one_line(written):
    run = load(written)
    found = lines(run)
    keys = [(x["dataset"], x["class"], x["block"], x["group"], x["method"], x["metric"]) for x in found]
    assert len(set(keys)) == len(keys)
    assert {key[2:4] for key in keys} == {(view.block, view.group) for view in views(run)}
    assert {x["better"] for x in found if x["metric"] == "relative_volume_difference"} == {"closest_to_zero"}


def test_numbers_keep_all_digits(written):
    run = load(written)
    (table, *_) = aggregate(run)
    (line,) = [
        x
        for x in lines(run)
        if (x["block"], x["group"], x["method"], x["metric"]) == ("best", "with_target", "ce", "dice")
    ]
    value = table.rows[1].values["dice"]
    assert (float(line["mean"]), float(line["sd"]), float(line["sd_of_seed_means"])) == (
        value.mean,
        value.sd,
        value.seed_sd,
    )
    assert (line["n"], line["cases"], line["patients"], line["cells_finished"], line["cells_planned"]) == (
        "4",
        "4",
        "3",
        "2",
        "2",
    )


def test_undefined_values_are_empty_and_counted(written):
    found = [x for x in lines(load(written)) if x["group"] == "all" and x["metric"] == "relative_volume_difference"]
    assert any(int(x["undefined"]) > 0 for x in found)
    assert all("nan" not in x.values() for x in found)


def test_a_row_without_numbers_has_its_state_and_reason(builder):
    builder.ended = {("ce", seed): ("out_of_memory", "patch\ntoo large") for seed in (0, 1)}
    found = [x for x in lines(load(builder.write())) if x["method"] == "ce" and x["block"] == "best"]
    assert len(found) == 4
    assert {x["state"] for x in found} == {"out_of_memory"}
    assert found[0]["reason"].startswith("seed 0, fold 0 out_of_memory: patch too large; seed 1")
    assert {x["metric"] for x in found} == {""}
