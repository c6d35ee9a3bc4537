"""`cost` measures each method alone and writes what it found beside the run."""

from __future__ import annotations

import json

import pytest

from bench.cost import measure


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch):
    """The tests of the measurement take all rounds."""
    for name in ("WARM_UP", "STEPS", "INFERENCES"):
        monkeypatch.setattr(measure, name, 1)


def test_the_table_is_printed_and_written_three_times(program, workshop):
    answer = program("cost", workshop.suite(baseline="dice").name, "--out", "costs")
    assert answer.code == 0
    assert "step (ms)" in answer.out
    assert "× dice" in answer.out
    assert sorted(path.name for path in (workshop.folder / "costs").iterdir()) == ["cost.csv", "cost.json", "cost.md"]
    assert "python -m bench report" not in answer.out
    assert answer.err == ""


def test_the_run_directory_is_the_usual_place(program, workshop):
    program("cost", workshop.suite().name, "--methods", "ce", "--set", "training.precision=bf16")
    record = json.loads((workshop.folder / "runs" / "tiny-suite" / "cost.json").read_text())
    assert [method["id"] for method in record["methods"]] == ["ce"]
    assert record["setup"]["training.precision"] == "bf16"


def test_the_report_of_a_run_shows_its_measured_costs(program, workshop, finished):
    suite = workshop.suite()
    answer = program("cost", suite.name, "--out", finished)
    assert "prepared training cases" in answer.out
    assert f"python -m bench report {finished}" in answer.out
    before = workshop.scores(finished)
    program("report", finished)
    page = (finished / "tables" / "costs.md").read_text()
    assert "## Measured costs" in page
    assert "parameters trained" in page
    assert workshop.scores(finished) == before


def test_an_unknown_method_and_an_unusable_folder_are_refused_before_anything_is_measured(
    program, workshop, monkeypatch
):
    monkeypatch.setattr(measure, "measure", lambda *_: pytest.fail("it was measured"))
    suite = workshop.suite().name
    assert program("cost", suite, "--methods", "dise").code == 2
    (workshop.folder / "file").write_text("")
    answer = program("cost", suite, "--out", "file")
    assert (answer.code, "file is a file, expected a folder" in answer.err) == (1, True)


def test_a_patch_that_the_network_cannot_take_is_refused_in_words(program, workshop):
    answer = program("cost", workshop.suite(sampling={"patch_size": [15, 16, 16]}).name)
    assert answer.code == 1
    assert "multiple" in answer.err
    assert "Traceback" not in answer.err
