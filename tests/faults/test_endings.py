"""However a run ends, its workers end with it, nothing is printed that helps nobody, and the same command goes on."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

SLOW = {"id": "slow", "loss": {"name": "slow", "seconds": 0.3}}
FEW = {"steps": 30, "validate_every": 15, "checkpoint_every": 3}


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


@pytest.fixture
def training(workshop, killer, misbehaving):
    """A run in the middle of training, with a checkpoint, and its worker's pid."""
    suite = workshop.suite(methods=[SLOW], training=FEW)
    process = workshop.start("run", suite, "--out", "run", "--workers", 2)
    killer("run").wait(process, {"training"}, 0)
    wait_until(lambda: list(workshop.folder.glob("run/work/slow-*/resume/step-*.pt")))
    (event,) = [e for e in workshop.events(workshop.folder / "run", "slow") if e.get("step") == 1]
    yield process, event["pid"]
    if process.poll() is None:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_workers_end_when_the_process_that_started_them_is_killed(training):
    process, worker = training
    assert is_alive(worker)
    process.kill()
    process.communicate()
    wait_until(lambda: not is_alive(worker))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_end_everything_in_one_line_and_the_run_goes_on_later(workshop, training, number, code):
    process, worker = training
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == code
    assert not is_alive(worker)
    assert "Traceback" not in out + err
    assert err.splitlines()[-1] == "interrupted; the same command goes on from the last checkpoints"
    done = workshop.command("run", "tiny.yaml", "--out", "run", "--workers", 1, "--methods", "slow")
    events = workshop.events(workshop.folder / "run", "slow")
    resumed = [event["step"] for event in events if event["phase"] == "resumed"]
    assert len(resumed) == 1
    assert resumed[0] >= 3
    assert "finished" in done.stdout
    assert "worker died" not in [event["phase"] for event in events]


@pytest.mark.slow
def test_ctrl_c_that_reaches_the_whole_group_as_from_a_terminal_ends_the_same(training):
    import os

    process, worker = training
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert not is_alive(worker)
    assert "Traceback" not in out + err
