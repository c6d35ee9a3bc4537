"""One worker: every job once, in an order that its inputs allow, and whatever was done before is used."""

from __future__ import annotations

import json
import shutil
import threading
from unittest import mock

import pytest

from bench.data.cache.store import CaseCache
from bench.errors import DataError
from bench.execution.context import RunContext
from bench.execution.job import is_done, is_ready
from bench.execution.jobs import jobs_of
from bench.files.checksum import verify_folder
from bench.results.run_directory import RunDirectory
from bench.stopping import REPLACE, Interrupted


def test_cases_come_before_the_cells_that_need_them_and_all_are_published_once(workshop, empty_cache):
    run = workshop.here(workshop.suite(threshold_baselines=True))
    events = workshop.events(run.path)
    published = [event["job"] for event in events if event["phase"] == "published"]
    kinds = [job.partition("-")[0] for job in published]
    assert kinds == ["phantom"] * 6 + ["thresholds", "dice", "ce"]
    assert not list((run.path / "work").iterdir())
    for job in jobs_of(RunContext.read(run)):
        assert is_done(job)
        verify_folder(job.target)


def test_a_finished_run_is_not_touched(workshop, finished):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()}
    workshop.work(RunDirectory(finished))
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()} == before


def test_only_selected_cells_and_the_cases_they_need_are_done(workshop, empty_cache):
    run = workshop.here(workshop.suite(split={"train": 1, "validation": 1, "test": 1}), methods=("ce",))
    assert [cell.name.partition("-")[0] for cell in (run.path / "cells").iterdir()] == ["ce"]
    assert len(list(empty_cache.iterdir())) == 3


def test_a_job_is_ready_when_all_it_needs_is_published(workshop, empty_cache):
    run = workshop.begin(workshop.suite())
    *prepare, dice, ce = jobs_of(RunContext.read(run))
    assert [is_ready(job) for job in (*prepare, dice, ce)] == [True] * 6 + [False] * 2
    workshop.work(run)
    assert is_ready(dice)


def test_a_worker_waits_for_a_case_that_another_is_preparing(workshop, empty_cache):
    run = workshop.begin(workshop.suite(methods=[{"id": "dice", "loss": {"name": "dice"}}]))
    first = jobs_of(RunContext.read(run))[0]
    lock = first.lock
    assert lock.acquire()
    worker = threading.Thread(target=workshop.work, args=(run,))
    worker.start()
    while len([e for e in workshop.events(run.path) if e["phase"] == "published"]) < 5:
        assert worker.is_alive()
    worker.join(0.5)
    assert worker.is_alive()
    assert not (run.path / "cells").exists()
    lock.release()
    worker.join()
    assert is_done(first)
    assert len(list(run.path.glob("cells/dice-*/seal.json"))) == 1


def test_cases_that_only_finished_cells_needed_are_not_prepared_again(workshop, finished, empty_cache):
    before = len(workshop.events(finished))
    workshop.work(RunDirectory(finished))
    assert len(workshop.events(finished)) == before
    assert not list(empty_cache.glob("*"))
    shutil.rmtree(next(finished.glob("cells/ce-*")))
    workshop.work(RunDirectory(finished))
    assert {path.name for path in empty_cache.iterdir()} == {
        job["id"] for job in RunDirectory(finished).read_run()["plan"]["prepare"]
    }


def test_what_a_run_needs_is_not_evicted_while_it_is_at_work(workshop, empty_cache):
    run = workshop.begin(workshop.suite(), methods=("ce",))
    seen = []

    def clean(*_: object, **__: object) -> dict[str, float]:
        cache = CaseCache.of_user()
        seen.append([entry.in_use for entry in cache.entries()])
        assert cache.remove(cache.entries()) == ()
        return {"a": 0.5}

    with mock.patch("bench.execution.scoring.Scorer.validation_dice", clean):
        workshop.work(run)
    assert seen == [[True] * 6] * 3
    cache = CaseCache.of_user()
    assert len(cache.remove(cache.entries())) == 6


def test_a_cache_too_small_for_the_run_is_told_with_what_is_needed(workshop, empty_cache, monkeypatch):
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE_LIMIT", "300 kB")
    with pytest.raises(
        DataError, match=r"phantom-\d-\w+ needs .* the limit is 300 kB .* set IMBALANCE_BENCH_CACHE_LIMIT"
    ):
        workshop.here(workshop.suite())
    monkeypatch.delenv("IMBALANCE_BENCH_CACHE_LIMIT")
    assert len(list(workshop.here(workshop.suite()).path.glob("cells/*/seal.json"))) == 2


def test_a_case_that_changed_since_the_plan_stops_the_worker_with_its_name(workshop, empty_cache):
    run = workshop.begin(workshop.suite())
    content = run.read_run()
    content["plan"]["prepare"][2]["fingerprint"] = "0" * 64
    run.write_run(content)
    with pytest.raises(DataError, match=r"case phantom-2: its files changed since this run was planned"):
        workshop.work(run)
    assert len(list(empty_cache.iterdir())) == 2
    assert not (run.path / "cells").exists()


def test_work_goes_on_from_the_checkpoint_and_with_the_cases_not_scored_yet(workshop, uninterrupted):
    run = workshop.begin(workshop.suite())
    workshop.work_until(run, "dice", "training", 8)
    workshop.work_until(run, "dice", "scoring best", 2)
    workshop.work(run)
    dice = [(event["phase"], event.get("step")) for event in workshop.events(run.path, "dice")]
    resumed = [index for index, (phase, _) in enumerate(dice) if phase == "resumed"]
    assert [dice[index][1] for index in resumed] == [6, 12]
    assert not [phase for phase, _ in dice[resumed[1] :] if phase in ("training", "validation", "checkpoint")]
    assert workshop.rows(run.path) == workshop.rows(uninterrupted)


def test_a_result_that_was_complete_but_not_published_is_published_as_it_is(workshop, uninterrupted):
    run = workshop.begin(workshop.suite())
    with mock.patch("bench.execution.run_job.publish_folder", side_effect=KeyboardInterrupt):
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                workshop.work(run)
    assert len(list((run.path / "work").iterdir())) == 1
    before = len(workshop.events(run.path))
    workshop.work(run)
    first = json.loads((run.path / "events.jsonl").read_text().splitlines()[before])
    assert first["phase"] == "publishing"
    assert workshop.rows(run.path) == workshop.rows(uninterrupted)


def test_a_process_whose_gpu_is_lost_leaves_the_other_cells_to_another(workshop, monkeypatch):
    run = workshop.begin(workshop.suite())
    with monkeypatch.context() as patch:
        patch.setattr("bench.execution.worker.is_usable", lambda device: False)
        with pytest.raises(Interrupted) as ending:
            workshop.work(run)
    assert ending.value.code == REPLACE
    assert [path.parent.name.partition("-")[0] for path in run.path.glob("cells/*/seal.json")] == ["dice"]
    assert list((run.path / "work").iterdir()) == []
    workshop.work(run)
    assert len(list(run.path.glob("cells/*/seal.json"))) == 2
