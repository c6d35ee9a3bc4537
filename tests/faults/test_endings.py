"""However a run ends, its workers end with it, nothing is printed that helps nobody, and the same command goes on."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from bench import stopping
from bench.execution.status import read_status, status_lines
from bench.files.lock import FileLock
from bench.training.checkpoint_names import newest_step

SLOW = {"id": "slow", "loss": {"name": "slow", "seconds": 0.3}}
RARELY = {"steps": 30, "validate_every": 30, "checkpoint_every": 30}


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds: float = 60) -> None:
    stop = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < stop
        time.sleep(0.05)


def step_of(run) -> int:
    """How far the slow cell has come; 0 before its first step."""
    cells = read_status(run).cells if run.run_file.exists() else ()
    return cells[0].step if cells and cells[0].phase == "training" else 0


def is_begun(run) -> bool:
    """Whether the slow cell is being worked on."""
    return run.run_file.exists() and read_status(run).cells[0].state == "working"


@pytest.fixture
def run(workshop):
    from bench.results.run_directory import RunDirectory

    return RunDirectory(workshop.folder / "run")


@pytest.fixture
def training(workshop, run, misbehaving):
    """A run in the middle of training, long before any checkpoint is due, and its worker's pid."""
    suite = workshop.suite(methods=[SLOW], training=RARELY)
    process = workshop.start("run", suite, "--out", "run", "--workers", 2)
    wait_until(lambda: step_of(run) >= 4)
    (event,) = [e for e in workshop.events(run.path, "slow") if e.get("step") == 1]
    yield process, event["pid"]
    if process.poll() is None:
        process.kill()
        process.communicate()


def the_line(kept: str) -> str:
    return rf"interrupted \({kept}\); the same command goes on from there\n"


ONE_CELL = r"0 of 1 cells done, kept: slow-s0-f0-\w+ at training (\d+) of 30"


@pytest.mark.slow
def test_workers_end_when_the_process_that_started_them_is_killed_and_keep_their_step(run, training):
    process, worker = training
    assert is_alive(worker)
    process.kill()
    process.communicate()
    wait_until(lambda: not is_alive(worker))
    (cell,) = read_status(run).cells
    assert cell.state == "interrupted"
    assert cell.step >= 4


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_end_everything_in_one_line_at_the_step_that_was_reached(
    workshop, run, training, number, code
):
    process, worker = training
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == code
    assert not is_alive(worker)
    assert "Traceback" not in out
    told = re.fullmatch(the_line(ONE_CELL), err)
    assert told, err
    reached = int(told[1])
    assert 4 <= reached < 30
    (cell,) = read_status(run).cells
    assert newest_step(run.work(cell.id) / "resume") == reached
    assert status_lines(read_status(run))[-1] == f"interrupted {cell.id}  training {reached} of 30"
    workshop.command("run", "tiny.yaml", "--out", "run", "--workers", 1)
    events = workshop.events(run.path, "slow")
    assert [event["step"] for event in events if event["phase"] == "resumed"] == [reached]
    assert "worker died" not in [event["phase"] for event in events]


@pytest.mark.slow
def test_ctrl_c_that_reaches_the_whole_group_as_from_a_terminal_ends_the_same(run, training):
    process, worker = training
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert not is_alive(worker)
    assert "Traceback" not in out
    assert re.fullmatch(the_line(ONE_CELL), err), err
    assert not [path for path in run.path.glob("logs/*") if "Traceback" in path.read_text()]


@pytest.mark.slow
@pytest.mark.parametrize("whole_group", [False, True])
def test_a_second_ctrl_c_ends_at_once_with_what_was_kept_before(workshop, run, misbehaving, whole_group):
    send = os.killpg if whole_group else os.kill
    endless = {"id": "slow", "loss": {"name": "slow", "seconds": 600.0}}
    process = workshop.start("run", workshop.suite(methods=[endless]), "--out", "run", "--workers", 1)
    wait_until(lambda: is_begun(run))
    (log,) = run.path.glob("logs/*")
    worker = FileLock(run.claim(read_status(run).cells[0].id)).holder()
    send(process.pid, signal.SIGINT)
    time.sleep(1)
    assert process.poll() is None
    assert is_alive(worker)
    send(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert not is_alive(worker)
    assert "Traceback" not in out + log.read_text()
    assert re.fullmatch(the_line(r"0 of 1 cells done, kept: slow-s0-f0-\w+ at training 0 of 12"), err), err


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_worker_started_by_hand_ends_the_same(workshop, misbehaving, number, code):
    run = workshop.begin(workshop.suite(methods=[SLOW], training=RARELY))
    process = workshop.start("work", run.path)
    wait_until(lambda: step_of(run) >= 4)
    process.send_signal(number)
    out, err = process.communicate()
    assert (process.returncode, out) == (code, "")
    told = re.fullmatch(the_line(ONE_CELL), err)
    assert told, err
    (cell,) = read_status(run).cells
    assert newest_step(run.work(cell.id) / "resume") == int(told[1]) == cell.step


def asked_at(workshop, run, job: str, phase: str, step: int) -> int:
    """Work until a job comes to a phase and step, and be sent SIGTERM there; the exit code."""
    from bench.execution.watch import JobWatch

    usual = JobWatch.__call__

    def call(watch: JobWatch, current: str, at: int = 0, **facts: float) -> None:
        usual(watch, current, at, **facts)
        if watch.job.startswith(job) and (current, at) == (phase, step):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.MonkeyPatch.context() as patch, stopping.noting_signals():
        patch.setattr(JobWatch, "__call__", call)
        with pytest.raises(stopping.Interrupted) as ending:
            workshop.work(run)
    return ending.value.code


MOMENTS = [
    ("phantom", "prepare", 0, ("waiting", "", 0)),
    ("dice", "training", 1, ("interrupted", "training", 1)),
    ("dice", "training", 7, ("interrupted", "training", 7)),
    ("dice", "training", 8, ("interrupted", "training", 8)),
    ("dice", "validation", 4, ("interrupted", "training", 4)),
    ("dice", "validated", 8, ("interrupted", "training", 9)),
    ("dice", "validation", 12, ("interrupted", "training", 12)),
    ("dice", "scoring best", 1, ("interrupted", "scoring best", 1)),
    ("dice", "recording", 0, ("done", "", 12)),
]


@pytest.mark.parametrize(("job", "phase", "step", "found"), MOMENTS, ids=lambda value: str(value))
def test_asked_to_stop_at_any_moment_work_goes_on_from_that_very_step_to_the_same_bytes(
    workshop, uninterrupted, monkeypatch, job, phase, step, found
):
    if phase == "prepare":
        monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(workshop.folder / "empty cache"))
    run = workshop.begin(workshop.suite())
    assert asked_at(workshop, run, job, phase, step) == 143
    (cell,) = [cell for cell in read_status(run).cells if cell.method == "dice"]
    assert (cell.state, cell.phase, cell.step) == found
    before = len(workshop.events(run.path))
    workshop.work(run)
    later = workshop.events(run.path, "dice")
    resumed = [event["step"] for event in later if event["phase"] == "resumed"]
    assert resumed == ([12 if "scoring" in phase else found[2]] if found[0] == "interrupted" else [])
    trained = [event for event in workshop.events(run.path)[before:] if event["phase"] == "training"]
    assert all(event["step"] > resumed[0] for event in trained if event["job"].startswith("dice") and resumed)
    workshop.report(run)
    assert workshop.scores(run.path) == workshop.scores(uninterrupted)
