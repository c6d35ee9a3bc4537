"""Cells that ended without scores are tried again only when asked for, and nothing is lost on the way."""

from __future__ import annotations

import os

import pytest

from bench.execution import retry
from bench.execution.claims import begin_attempt, claim, given_up, note_death
from bench.execution.retry import ended_without_scores, set_failed_aside
from bench.execution.status import read_status
from bench.files.checksum import verify_folder
from bench.results.load import load
from bench.results.records import read_cell

ENDED = {("ce", 0): ("diverged", "nan at step 3"), ("ce", 1): ("died", "signal 9"), ("dice", 1): ("planned", "")}
FAILED = ["ce-s0-f0-abc", "ce-s1-f0-abc"]


@pytest.fixture
def ids(written):
    return written.read_run()["selected"]


@pytest.fixture
def builder(builder):
    builder.ended = dict(ENDED)
    return builder


def statuses(run) -> dict[str, str]:
    frame = load(run).cells
    return dict(zip(frame["cell"], frame["status"], strict=True))


def test_cells_without_scores_are_known_with_how_they_ended(written, ids):
    assert ended_without_scores(written, ids) == {"ce-s0-f0-abc": "diverged", "ce-s1-f0-abc": "died"}
    assert ended_without_scores(written, ["ce-s1-f0-abc", "dice-s0-f0-abc"]) == {"ce-s1-f0-abc": "died"}


def test_their_records_are_kept_whole_beside_and_the_cells_are_to_be_done(written, ids):
    before = statuses(written)
    set_failed_aside(written, ids)
    aside = sorted(path.name for path in written.path.glob("cells/*.failed"))
    assert aside == [f"{identity}.failed" for identity in FAILED]
    for name in aside:
        verify_folder(written.path / "cells" / name)
    assert statuses(written) == before | dict.fromkeys(FAILED, "planned")
    assert load(written).orphaned == ()


def test_a_cell_that_fails_again_and_again_is_kept_each_time(builder, written, ids):
    for _ in range(3):
        set_failed_aside(written, ids)
        for cell in written.read_run()["plan"]["cells"]:
            if cell["id"] in FAILED:
                builder._cell(written, cell)
    names = sorted(path.name for path in written.path.glob(f"cells/{FAILED[0]}*"))
    assert names == [FAILED[0], *(f"{FAILED[0]}.failed{end}" for end in ("", "-2", "-3"))]
    assert statuses(written)[FAILED[0]] == "diverged"


def test_killed_between_two_renames_every_record_is_still_there(written, ids, monkeypatch):
    usual = retry.move_aside

    def once(folder, why):
        if list(written.path.glob("cells/*.failed")):
            raise KeyboardInterrupt
        return usual(folder, why)

    monkeypatch.setattr(retry, "move_aside", once)
    with pytest.raises(KeyboardInterrupt):
        set_failed_aside(written, ids)
    assert statuses(written)[FAILED[0]] == "planned"
    assert statuses(written)[FAILED[1]] == "died"
    assert read_cell(written.path / "cells" / f"{FAILED[0]}.failed")["status"] == "diverged"
    lock = claim(written, FAILED[1])
    assert lock is not None
    lock.release()


def test_a_cell_that_another_process_has_is_left_to_it(written, ids):
    lock = claim(written, FAILED[0])
    set_failed_aside(written, ids)
    lock.release()
    assert statuses(written)[FAILED[0]] == "diverged"
    assert statuses(written)[FAILED[1]] == "planned"


def test_deaths_that_a_killed_worker_left_beside_a_published_cell_do_not_end_the_new_try(written, ids):
    working = written.work(FAILED[1])
    working.mkdir(parents=True)
    for _ in range(3):
        begin_attempt(working)
        note_death(written, os.getpid(), 0.0, "signal 9")
    assert given_up(working) is not None
    set_failed_aside(written, ids)
    assert not working.exists()
    assert statuses(written)[FAILED[1]] == "planned"


def test_what_is_under_way_again_by_the_time_of_the_claim_is_kept(written, ids, monkeypatch):
    def slowly(run, cell):
        written.cell(FAILED[0]).rename(written.path / "cells" / f"{FAILED[0]}.failed")
        (written.work(FAILED[0]) / "resume").mkdir(parents=True)
        monkeypatch.undo()
        return claim(run, cell)

    monkeypatch.setattr(retry, "claim", slowly)
    set_failed_aside(written, ids)
    assert (written.work(FAILED[0]) / "resume").is_dir()
    assert sorted(path.name for path in written.path.glob("cells/*.failed")) == [f"{one}.failed" for one in FAILED]


def test_a_retried_cell_is_trained_from_the_beginning(workshop, misbehaving):
    methods = [{"id": "failing", "loss": {"name": "raises"}}, {"id": "dice", "loss": {"name": "dice"}}]
    run = workshop.here(workshop.suite(methods=methods))
    assert read_status(run).trouble().startswith("1 of 2 cells did not finish (1 failed); --retry-failed tries")
    before = len(workshop.events(run.path))
    set_failed_aside(run, run.read_run()["selected"])
    assert [cell.state for cell in read_status(run).cells] == ["waiting", "done"]
    workshop.work(run)
    events = workshop.events(run.path)[before:]
    assert {event["job"].partition("-")[0] for event in events} == {"failing"}
    assert [cell.outcome for cell in read_status(run).cells] == ["failed: RuntimeError: no such luck", "finished"]
