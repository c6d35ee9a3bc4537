"""One plan at a time in one run directory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bench.errors import RunError
from bench.execution import charge
from bench.execution.charge import in_charge
from bench.execution.cleaning import remove
from bench.files.lock import FileLock
from bench.results.run_directory import RunDirectory

HOLD = """
import sys, time
from pathlib import Path
from bench.execution.charge import in_charge
from bench.results.run_directory import RunDirectory
with in_charge(RunDirectory(Path(sys.argv[1])), {"plan": "theirs", "selected": ("a",)}):
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(charge, "PATIENCE_SECONDS", 0.3)
    return RunDirectory(tmp_path)


@pytest.fixture
def other(run):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(run.path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_plan_is_stored_for_the_workers(run):
    with in_charge(run, {"plan": 1}):
        assert run.read_run()["plan"] == 1
    with in_charge(run, {"plan": 2}):
        assert run.read_run()["plan"] == 2


def test_a_process_with_the_same_plan_joins(run, other):
    before = run.run_file.stat().st_mtime_ns
    with in_charge(run, {"plan": "theirs", "selected": ("a",)}):
        assert run.run_file.stat().st_mtime_ns == before


def test_a_process_with_another_plan_is_refused_and_changes_nothing(run, other):
    words = rf"in use by process {other.pid}, .* another suite or selection; wait until it has ended, or .*--out"
    with pytest.raises(RunError, match=words), in_charge(run, {"plan": "ours"}):
        pass
    assert run.read_run()["plan"] == "theirs"


def test_a_process_that_joined_keeps_another_plan_out_after_the_first_has_ended(run, other):
    joined = {"plan": "theirs", "selected": ("a",)}
    with in_charge(run, joined):
        other.kill()
        other.wait()
        words = rf"in use by process {os.getpid()}, .* another suite or selection"
        with pytest.raises(RunError, match=words), in_charge(run, {"plan": "ours"}):
            pass
        assert run.read_run()["plan"] == "theirs"
        with pytest.raises(RunError, match=rf"in use by process {os.getpid()}; nothing was removed"):
            remove(run, ())
        with in_charge(run, joined):
            pass
    with in_charge(run, {"plan": "ours"}):
        assert run.read_run()["plan"] == "ours"
    assert list((run.path / "claims").iterdir()) == []


def test_while_somebody_cleans_no_plan_is_stored(run):
    words = rf"in use by process {os.getpid()}; wait until it has ended, or .*--out"
    with FileLock(run.in_use), pytest.raises(RunError, match=words), in_charge(run, {"plan": 1}):
        pass
    assert not run.run_file.exists()


def test_a_killed_process_is_in_charge_no_longer(run, other):
    other.kill()
    other.wait()
    with in_charge(run, {"plan": "ours"}):
        assert run.read_run()["plan"] == "ours"
