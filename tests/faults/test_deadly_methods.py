"""What a method does to itself is a result with a reason, and the others go on."""

from __future__ import annotations

import json

import pytest

GOOD = {"id": "dice", "loss": {"name": "dice"}}


def outcome(run, method: str) -> dict:
    (cell,) = (run / "cells").glob(f"{method}-*/cell.json")
    return json.loads(cell.read_text())


@pytest.mark.slow
def test_a_method_whose_process_dies_three_times_at_one_place_is_given_up(workshop, misbehaving):
    suite = workshop.suite(methods=[{"id": "deadly", "loss": {"name": "deadly"}}, GOOD])
    done = workshop.command("run", suite, "--out", "run", "--workers", 2, code=3)
    run = workshop.folder / "run"
    died = outcome(run, "deadly")
    assert died["status"] == "died"
    assert "died 3 times in a row" in died["reason"]
    assert "no checkpoint" in died["reason"]
    assert "signal 9 (SIGKILL), likely out of memory" in died["reason"]
    assert outcome(run, "dice")["status"] == "finished"
    deaths = [event for event in workshop.events(run, "deadly") if event["phase"] == "worker died"]
    assert 3 <= len(deaths) <= 4
    assert len({event["pid"] for event in deaths}) == len(deaths)
    assert "died" in (run / "tables" / "scores.md").read_text()
    assert "died 3 times" in done.stdout


@pytest.mark.slow
def test_deaths_at_different_places_do_not_add_up(workshop, uninterrupted, killer):
    death = killer("run")
    process = workshop.start("run", workshop.suite(), "--out", "run", "--workers", 1)
    for step in (3, 6, 9):
        event = None
        while event is None or event["step"] < step:
            event = next((e for e in workshop.events(death.run, "dice") if e.get("step", 0) >= step), None)
            assert process.poll() is None
        death.kill_worker(event["pid"], 0)
        while len([e for e in workshop.events(death.run) if e["phase"] == "worker died"]) < step // 3:
            assert process.poll() is None
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    assert outcome(death.run, "dice")["status"] == "finished"
    assert workshop.scores(death.run) == workshop.scores(uninterrupted)


def test_a_method_that_diverges_or_fails_ends_alone_and_the_table_says_why(workshop, misbehaving):
    suite = workshop.suite(
        methods=[
            {"id": "nan", "loss": {"name": "nan", "after": 5}},
            {"id": "failing", "loss": {"name": "raises"}},
            {"id": "unforeseen", "loss": {"name": "raises", "error": "AttributeError", "says": "no such thing"}},
            {"id": "greedy", "loss": {"name": "raises", "error": "MemoryError", "says": "all gone"}},
            GOOD,
        ]
    )
    directory = workshop.here(suite)
    run = directory.path
    diverged = outcome(run, "nan")
    assert diverged["status"] == "diverged"
    assert diverged["reason"] == "segmentation became nan at step 5 of 12"
    assert diverged["steps"] == 4
    assert (outcome(run, "failing")["status"], outcome(run, "failing")["reason"]) == (
        "failed",
        "RuntimeError: no such luck",
    )
    (traceback,) = (run / "cells").glob("failing-*/traceback.txt")
    assert "no such luck" in traceback.read_text()
    assert outcome(run, "unforeseen")["reason"] == "AttributeError: no such thing"
    assert outcome(run, "greedy")["status"] == "out_of_memory"
    assert "patch [16, 16, 16] and batch 1" in outcome(run, "greedy")["reason"]
    assert outcome(run, "dice")["status"] == "finished"
    workshop.report(directory)
    table = (run / "tables" / "scores.md").read_text()
    assert "diverged: segmentation became nan at step 5 of 12" in table
    assert "failed: RuntimeError: no such luck" in table


def test_an_absurd_learning_rate_diverges_and_is_a_result(workshop):
    run = workshop.here(workshop.suite(methods=[GOOD]), overrides=("training.learning_rate=1e30",)).path
    assert outcome(run, "dice")["status"] == "diverged"
