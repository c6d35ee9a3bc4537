"""Claims end with their holder; deaths count against a job only when nothing was achieved in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from bench.errors import VanishedError
from bench.execution.claims import begin_attempt, claim, given_up, is_claimed, note_death
from bench.execution.watch import JobWatch
from bench.files.lock import FileLock
from bench.results.run_directory import RunDirectory

HOLD = """
import sys, time
from pathlib import Path
from bench.execution.claims import begin_attempt, claim
from bench.results.run_directory import RunDirectory
run = RunDirectory(Path(sys.argv[1]))
assert claim(run, "job") is not None
begin_attempt(run.work("job"))
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path)
    run.work("job").mkdir(parents=True)
    return run


def hold(run) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(run.path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def die(run, times: int = 1, cause: str = "signal 9", since: float = 0.0) -> None:
    for _ in range(times):
        begin_attempt(run.work("job"))
        note_death(run, os.getpid(), since, cause)


def test_a_claim_keeps_others_out_and_ends_with_its_holder(run):
    process = hold(run)
    assert is_claimed(run, "job")
    assert claim(run, "job") is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not is_claimed(run, "job")
    lock = claim(run, "job")
    assert lock is not None
    lock.release()


def test_a_run_that_was_removed_does_not_rise_again(tmp_path):
    run = RunDirectory(tmp_path / "gone")
    with pytest.raises(VanishedError, match="there is no folder"):
        claim(run, "job")
    with pytest.raises(VanishedError):
        FileLock(run.claim("job")).acquire()
    assert not run.path.exists()


def test_a_death_is_noted_although_another_worker_has_the_job_by_then(run):
    process = hold(run)
    process.kill()
    process.communicate()
    other = claim(run, "job")
    begin_attempt(run.work("job"))
    assert note_death(run, process.pid, 0.0, "signal 9") == "job"
    other.release()
    die(run, 1)
    assert given_up(run.work("job")) is None


def test_three_deaths_at_one_place_end_a_job_with_place_phase_and_cause(run):
    die(run, 2)
    JobWatch(run.events, "job", run.work("job"))("training", 7)
    assert given_up(run.work("job")) is None
    die(run, 1, "signal 11")
    reason = given_up(run.work("job"))
    place = "in phase training, each time with no checkpoint and 0 cases scored"
    assert reason == f"its process died 3 times in a row {place}: signal 11"


@pytest.mark.parametrize("progress", ["resume/step-00000003-0123456789abcdef.pt", "scores/best/main/case.json"])
def test_deaths_before_a_new_checkpoint_or_score_do_not_count_against_what_follows(run, progress):
    die(run, 2)
    path = run.work("job") / progress
    path.parent.mkdir(parents=True)
    path.touch()
    die(run, 2)
    assert given_up(run.work("job")) is None
    die(run, 1)
    assert given_up(run.work("job")) is not None


def test_attempts_that_nobody_saw_dying_do_not_count(run):
    """The whole machine went down, or everything was killed at once."""
    for _ in range(5):
        begin_attempt(run.work("job"))
    assert given_up(run.work("job")) is None
    die(run, 2)
    assert given_up(run.work("job")) is None


def test_an_attempt_of_an_earlier_process_with_the_same_pid_is_not_blamed(run):
    begin_attempt(run.work("job"))
    assert note_death(run, os.getpid(), since=1e12, cause="signal 9") is None
    assert note_death(run, os.getpid() + 1, since=0.0, cause="signal 9") is None


def test_a_death_in_a_job_that_somebody_else_finished_meanwhile_is_no_trouble(run):
    begin_attempt(run.work("job"))
    (run.work("job") / "attempts.jsonl").unlink()
    run.work("job").rmdir()
    assert note_death(run, os.getpid(), 0.0, "signal 9") is None
