"""Where a run stands, at any moment of it."""

from __future__ import annotations

import json
import shutil

import pytest

from bench.errors import RunError
from bench.execution.claims import claim
from bench.execution.status import CellStatus, Status, read_status, status_lines
from bench.results.run_directory import RunDirectory


def test_before_anything_is_done_all_cells_wait(workshop, empty_cache):
    status = read_status(workshop.begin(workshop.suite(threshold_baselines=True)))
    assert [cell.state for cell in status.cells] == ["waiting", "waiting"]
    assert (status.cases_prepared, status.cases_needed, status.baselines_missing) == (0, 6, 1)
    assert status.waiting_jobs == 9
    assert not status.finished


def test_a_cell_at_work_shows_phase_and_step(workshop):
    run = workshop.work_until(workshop.begin(workshop.suite()), "dice", "validation", 8)
    (dice,) = [cell for cell in read_status(run).cells if cell.method == "dice"]
    assert (dice.state, dice.phase, dice.step, dice.steps) == ("interrupted", "training", 6, 12)
    lock = claim(run, dice.id)
    (dice,) = [cell for cell in read_status(run).cells if cell.method == "dice"]
    assert (dice.state, dice.phase, dice.steps) == ("working", "training", 12)
    assert 4 < dice.step <= 8
    (run.work(dice.id) / "progress.json").write_text(json.dumps({"phase": "scoring best", "step": 1, "of": 36}))
    lines = status_lines(read_status(run))
    assert lines[0] == "cases prepared: 6 of 6"
    assert any(line.startswith("working ") and line.endswith("scoring best 1 of 36") for line in lines)
    (run.work(dice.id) / "progress.json").unlink()
    (dice,) = [cell for cell in read_status(run).cells if cell.method == "dice"]
    assert dice.phase == "starting"
    lock.release()


def test_done_cells_show_how_they_ended(workshop, misbehaving):
    suite = workshop.suite(methods=[{"id": "nan", "loss": {"name": "nan"}}, {"id": "dice", "loss": {"name": "dice"}}])
    status = read_status(workshop.here(suite))
    assert status.finished
    assert [cell.outcome for cell in status.cells] == [
        "diverged: segmentation became nan at step 1 of 12",
        "finished",
    ]
    assert status.cells[0].validation_dice is None
    assert 0 <= status.cells[1].validation_dice <= 1


def test_only_selected_cells_decide_whether_a_run_is_finished(workshop):
    run = workshop.here(workshop.suite(), methods=("ce",))
    status = read_status(run)
    assert [cell.method for cell in status.cells] == ["ce"]
    assert status.finished
    assert not read_status(workshop.begin(workshop.suite())).finished


def test_cases_that_nothing_needs_any_more_count_as_prepared(workshop, finished, empty_cache):
    status = read_status(RunDirectory(finished))
    assert (status.finished, status.cases_prepared, status.waiting_jobs) == (True, 6, 0)
    shutil.rmtree(next(finished.glob("cells/ce-*")))
    assert read_status(RunDirectory(finished)).cases_prepared == 0
    run = workshop.begin(workshop.suite(threshold_baselines=True), out=workshop.folder / "other", methods=("dice",))
    shutil.copytree(next(finished.glob("cells/dice-*")), run.path / "cells" / next(finished.glob("cells/dice-*")).name)
    assert read_status(run).cases_prepared == 4, "the baselines need the two test cases"


def test_baselines_asked_for_later_are_jobs_that_are_left(workshop, finished):
    run = workshop.begin(workshop.suite(threshold_baselines=True), out=finished)
    status = read_status(run)
    assert [cell.state for cell in status.cells] == ["done", "done"]
    assert (status.finished, status.waiting_jobs) == (False, 1)
    workshop.work(run)
    assert read_status(run).finished


def troubled(*ends: str) -> str:
    cells = [CellStatus("a", "a", "a", 0, 0, *end.split()) for end in ends]
    return Status(tuple(cells), 0, 0, 0).trouble()


def test_only_cells_that_ended_otherwise_are_tried_once_more_and_the_others_just_go_on():
    assert troubled("done finished") == ""
    assert troubled("done finished", "done failed", "done died").endswith(
        "2 of 3 cells did not finish (1 failed, 1 died); --retry-failed tries them once more"
    )
    assert troubled("done finished", "interrupted", "waiting").endswith(
        "2 of 3 cells did not finish (1 interrupted, 1 waiting); the same command goes on with them"
    )
    assert troubled("done failed", "waiting", "waiting").endswith(
        "; --retry-failed tries the 1 that ended so once more; the same command goes on with the other 2"
    )


def test_a_finished_run_needs_no_cache(workshop, finished, monkeypatch):
    file = workshop.folder / "file"
    file.touch()
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(file))
    assert read_status(RunDirectory(finished)).cases_prepared == 6
    workshop.command("report", finished)


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"is not a run directory: it has no run\.json; start one with `run SUITE`"):
        read_status(RunDirectory(tmp_path))
