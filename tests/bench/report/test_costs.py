from __future__ import annotations

import csv
import io

from bench.report.costs import costs_csv, costs_page
from bench.results.load import load


def test_costs_have_one_row_per_method_and_say_what_they_are_not(written):
    page = costs_page(load(written))
    rows = [line for line in page.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == 3
    assert "0.09" in rows[0]
    assert "123456" in rows[0]
    assert "Synthetic CPU" in rows[0]
    assert "wall times on this page are provenance" in page
    assert "in seconds (s)" in page
    assert page.index("provenance") < page.index("| Method")


def test_times_stand_in_the_order_in_which_a_cell_spends_them(builder):
    timing = {"seconds_per_scored_case": 1.1, "seconds_per_step": 0.25, "seconds_elsewhere": 1234.5}
    builder.cell = lambda method, seed, fold: {"timing": timing}
    lines = [line for line in costs_page(load(builder.write())).splitlines() if line.startswith("| ")]
    header, _, row, *_ = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    assert header[4:7] == ["per step (s)", "per scored case (s)", "elsewhere (s)"]
    assert row[4:7] == ["0.250", "1.10", "1234"]


def test_every_recorded_cell_is_a_line(builder):
    builder.ended = {("ce", 0): ("diverged", "nan"), ("ce", 1): ("planned", "")}
    lines = list(csv.DictReader(io.StringIO(costs_csv(load(builder.write())))))
    assert [line["cell"] for line in lines if line["method"] == "ce"] == ["ce-s0-f0-abc"]
    assert len(lines) == 5
    assert lines[0]["commit"] == "0123456789abcdef"
    assert lines[0]["parameters"] == "123456"


def test_a_cell_without_times_is_shown_without(builder):
    builder.cell = lambda method, seed, fold: {"timing": {}, "parameters": None} if method == "ce" else {}
    run = load(builder.write())
    (row,) = [line for line in costs_page(run).splitlines() if line.startswith("| ce")]
    assert [cell.strip() for cell in row.split("|")][3:8] == ["–", "300", "–", "–", "–"]
    seconds = {line["cell"]: line["seconds_per_step"] for line in csv.DictReader(io.StringIO(costs_csv(run)))}
    assert seconds["ce-s0-f0-abc"] == ""
    assert seconds["dice-s0-f0-abc"] == "0.09"
