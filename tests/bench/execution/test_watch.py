"""What is told about a job while it works."""

from __future__ import annotations

import json
import os

import pytest

from bench import stopping
from bench.execution.watch import PARENT, JobWatch, ask_without_parent
from bench.files.jsonl import read_jsonl


@pytest.fixture
def watch(tmp_path):
    return JobWatch(tmp_path / "events.jsonl", "cell-1", tmp_path)


def test_every_change_of_phase_is_logged_once_with_job_pid_and_time(watch, tmp_path):
    for phase, step in (("training", 1), ("training", 2), ("validation", 2), ("training", 3)):
        watch(phase, step)
    events = read_jsonl(tmp_path / "events.jsonl")
    assert [(event["phase"], event["step"]) for event in events] == [
        ("training", 1),
        ("validation", 2),
        ("training", 3),
    ]
    assert {(event["job"], event["pid"]) for event in events} == {("cell-1", os.getpid())}
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)


def test_the_progress_file_has_the_last_change_with_its_facts(watch, tmp_path):
    watch("scoring best", 3, of=36)
    progress = json.loads((tmp_path / "progress.json").read_text())
    assert progress == {"phase": "scoring best", "step": 3, "of": 36, "pid": os.getpid()}


def test_a_worker_is_asked_to_stop_when_the_process_that_started_it_is_gone(watch, monkeypatch):
    with stopping.noting_signals():
        monkeypatch.setenv(PARENT, str(os.getppid()))
        ask_without_parent()
        assert not stopping.asked()
        monkeypatch.setenv(PARENT, str(os.getppid() + 1))
        watch("training", 1)
        with pytest.raises(stopping.Interrupted) as ending:
            stopping.leave_if_asked()
    assert ending.value.code == 1
