"""Measured costs as tables, and on the costs page of a run."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from bench.cost.writing import write_all
from bench.report.costs import costs_page
from bench.report.measured_costs import cost_page, csv_rows, terminal_lines
from bench.results.costs import CostRecord, setup_of
from bench.results.load import load

SUITE = {
    "backbone": {"name": "residual_unet"},
    "dataset": {"format": "phantom", "target": [1]},
    "sampling": {"patch_size": [16, 32, 32], "batch_size": 2},
    "training": {"precision": "fp32", "threads_per_cell": 1, "memory_format": "channels_last", "compile": False},
    "evaluation": {"tolerance_mm": 1.0, "window_overlap": 0.25, "window_batch": 4},
}


def method(name: str, factor: float, **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "label": name.title(),
        "loss": {"name": name},
        "step_seconds": tuple(factor * seconds for seconds in (0.1, 0.2, 0.3)),
        "inference_seconds": (2 * factor, 3 * factor),
        "peak_memory_bytes": int(factor * 3 * 2**20),
        "parameters_trained": 1500,
        "parameters_inference": 1200,
        **changes,
    }


def record(**changes: Any) -> CostRecord:
    content = {
        "suite_file": "tiny.yaml",
        "title": "Tiny | small",
        "profile": "phantom",
        "setup": setup_of(SUITE),
        "batch": "generated",
        "volume": "generated",
        "baseline": "dice",
        "warm_up": 3,
        "load": {"before": 0.1, "after": 0.9, "cpu_share": 0.99, "other_cpus": 0.1},
        "environment": {
            "device": "cpu",
            "device_name": "Some CPU",
            "threads": 1,
            "torch": "2.13",
            "commit": "",
            "finished_at": "2026-01-02",
        },
        "methods": (
            method("dice", 1.0),
            method("ce", 1.5),
            {"id": "nan", "label": "NaN", "loss": {"name": "nan"}, "reason": "Diverged: it | did"},
        ),
    }
    return CostRecord.model_validate(content | changes)


def cells(lines: list[str]) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("| \n").split(" | ")] for line in lines if line.startswith("| ")]


def test_a_row_has_parameters_step_with_quartiles_ratio_memory_and_inference():
    header, _, dice, ce, nan = cells(cost_page(record()).splitlines())
    assert header == [
        "Method",
        "parameters trained",
        "at inference",
        "step (ms)",
        "× Dice",
        "peak memory (MiB)",
        "inference (s per case)",
    ]
    assert dice == ["Dice", "1,500", "1,200", r"200 \[150, 250\]", "1.00", "3.00", "2.50"]
    assert ce[3:] == [r"300 \[225, 375\]", "1.50", "4.50", "3.75"]
    assert nan == ["NaN", "–", "–", "–", "–", "–", "–"]


def test_names_cannot_break_the_page():
    page = cost_page(record())
    assert r"# Tiny \| small: measured costs" in page
    assert r"nan was not measured: Diverged: it \| did" in page


def test_without_a_baseline_there_is_no_column_of_ratios():
    lines = terminal_lines(record(baseline=None))
    assert "×" not in lines[0]
    assert "1.50" not in "".join(lines[:4])


def test_the_notes_say_where_how_and_on_what():
    notes = "\n".join(terminal_lines(record()))
    for said in ("3 rounds after 3 for warming up", "Some CPU (cpu), 1 thread", "Batch of 2 × 16×32×32 voxels: gener"):
        assert said in notes
    assert "torch's allocator" in notes


@pytest.mark.parametrize(
    ("before", "after", "others", "warned"),
    [(0.3, 1.0, None, False), (1.2, 1.0, None, True), (0.0, 2.5, 0.0, True), (0.0, 0.5, 0.9, True)],
)
def test_a_busy_machine_is_warned_of(before, after, others, warned):
    page = cost_page(record(load={"before": before, "after": after, "cpu_share": None, "other_cpus": others}))
    assert ("something else was running" in page) == warned


def test_the_csv_has_seconds_and_bytes_and_nothing_where_nothing_was_measured(tmp_path):
    write_all(tmp_path, record())
    with (tmp_path / "cost.csv").open(newline="") as lines:
        dice, ce, nan = csv.DictReader(lines)
    assert (dice["step_seconds"], dice["steps"], dice["peak_memory_bytes"]) == ("0.2", "3", str(3 * 2**20))
    assert float(ce["step_ratio_to_baseline"]) == pytest.approx(1.5)
    assert float(ce["inference_ratio_to_baseline"]) == pytest.approx(1.5)
    assert (nan["step_seconds"], nan["peak_memory_bytes"], nan["reason"]) == ("", "", "Diverged: it | did")


def test_rows_are_in_the_order_of_the_suite():
    assert [row["method"] for row in csv_rows(record())] == ["dice", "ce", "nan"]


@pytest.fixture
def measured(builder):
    """A run directory whose suite is the measured one; the record is written by the test."""
    builder.suite |= SUITE
    builder.suite["methods"] = [{"id": name, "label": "", "loss": {"name": name}} for name in builder.methods]
    return builder.write()


def of_tversky() -> CostRecord:
    return record(methods=(method("dice", 1.0), method("ce", 1.5), method("tversky", 2.0)))


def test_the_costs_page_shows_the_measurement_before_the_wall_times(measured):
    write_all(measured.path, of_tversky())
    page = costs_page(load(measured))
    assert page.index("## Measured costs") < page.index("200 \\[150, 250\\]") < page.index("## Wall times of this run")
    assert "wall times on this page are provenance" in page
    assert "bench cost" not in page


def test_without_a_measurement_the_costs_page_names_the_command(measured):
    page = costs_page(load(measured))
    assert "Not measured yet: `python -m bench cost SUITE`" in page
    assert page.index("Not measured yet") < page.index("| Method")


def test_a_measurement_of_other_settings_is_not_shown(measured):
    setup = setup_of(SUITE) | {"sampling.patch_size": [8, 8, 8]}
    write_all(measured.path, record(setup=setup))
    page = costs_page(load(measured))
    assert "of other settings (`sampling.patch_size`) and not shown" in page
    assert "\\[150, 250\\]" not in page


def test_a_row_whose_loss_has_changed_since_is_left_out_by_name(measured):
    dice = method("dice", 1.0, loss={"name": "dice", "batch": True})
    write_all(measured.path, record(methods=(dice, method("ce", 1.5))))
    page = costs_page(load(measured))
    assert "Not measured as it is now: dice, tversky." in page
    assert "200 \\[150, 250\\]" not in page
    assert "300 \\[225, 375\\]" in page
