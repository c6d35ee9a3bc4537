"""Workers as processes: replaced when they die, heard when they refuse, ended with whoever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from bench.errors import RunError
from bench.execution import local
from bench.execution.local import LocalWorkers, started
from bench.results.run_directory import RunDirectory
from bench.stopping import REPLACE

DEVICE = ["--device", "cpu"]


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.create()
    return run


@pytest.fixture
def stand_in(monkeypatch):
    """Start a small program in place of `python -m bench work RUN`."""
    start = subprocess.Popen

    def use(code: str) -> None:
        monkeypatch.setattr(
            local.subprocess, "Popen", lambda command, **options: start([sys.executable, "-c", code], **options)
        )

    return use


def wait_while(workers: LocalWorkers, seconds: float = 20) -> None:
    stop = time.monotonic() + seconds
    while workers.running():
        assert time.monotonic() < stop
        time.sleep(0.02)


def test_workers_that_end_well_are_not_started_again(run, stand_in):
    stand_in("print('done')")
    with started(run, 2, DEVICE, 1) as workers:
        wait_while(workers)
    assert [path.read_text() for path in sorted((run.path / "logs").iterdir())] == ["done\n", "done\n"]


def test_a_killed_worker_is_noted_and_replaced(run, stand_in, tmp_path, workshop):
    stand_in(f"""
import os, signal
from pathlib import Path
from bench.execution.claims import begin_attempt
mark, working = Path({str(tmp_path)!r}) / "mark", Path({str(run.work("job"))!r})
if not mark.exists():
    mark.touch()
    working.mkdir(parents=True)
    begin_attempt(working)
    os.kill(os.getpid(), signal.SIGKILL)
""")
    with started(run, 1, DEVICE, 1) as workers:
        wait_while(workers)
    (event,) = workshop.events(run.path)
    assert (event["phase"], event["job"]) == ("worker died", "job")
    assert event["cause"] == "signal 9 (SIGKILL), likely out of memory"
    assert (run.work("job") / "deaths.jsonl").exists()


def test_the_message_of_a_worker_that_refuses_is_passed_on_whole(run, stand_in):
    stand_in("import sys; print('warning: chatter'); print('error: case x: no such file;\\nrepair it'); sys.exit(1)")
    with started(run, 1, DEVICE, 1) as workers, pytest.raises(RunError) as caught:
        wait_while(workers)
    assert str(caught.value) == "case x: no such file;\nrepair it"


def test_a_worker_that_crashes_is_told_by_its_last_line_and_where_its_log_is(run, stand_in):
    stand_in("raise OSError(28, 'No space left on device')")
    with started(run, 1, DEVICE, 1) as workers, pytest.raises(RunError) as caught:
        wait_while(workers)
    message = str(caught.value)
    assert message.startswith("a worker ended with exit code 1 (OSError: [Errno 28] No space left on device); see ")
    assert "Traceback" not in message
    assert "Traceback" in (run.path / "logs" / message.rpartition("/")[2]).read_text()


def test_the_words_of_an_earlier_worker_are_neither_lost_nor_taken_for_those_of_a_later_one(run, stand_in):
    for code in ("import sys; print('error: first'); sys.exit(1)", "import os; os._exit(3)"):
        stand_in(code)
        with started(run, 1, DEVICE, 1) as workers, pytest.raises(RunError) as caught:
            wait_while(workers)
    assert str(caught.value).startswith("a worker ended with exit code 3 (without a word); see ")
    (log,) = (run.path / "logs").iterdir()
    assert log.read_text() == "error: first\n"


def test_all_workers_end_with_the_block_also_by_an_error(run, stand_in):
    stand_in("import time; time.sleep(60)")
    pids = []

    def interrupted() -> None:
        with started(run, 3, DEVICE, 1) as workers:
            pids.extend(worker.process.pid for worker in workers._workers)
            assert workers.running()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(pids) == 3
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_know_who_started_them_their_threads_and_our_packages(run, stand_in, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/third/party")
    names = ("IMBALANCE_BENCH_PARENT", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "PYTHONPATH")
    stand_in(f"import os; print([os.environ[name] for name in {names!r}])")
    with started(run, 1, DEVICE, 3) as workers:
        wait_while(workers)
    (log,) = (run.path / "logs").iterdir()
    home = str(local.HOME)
    assert log.read_text().strip() == str([str(os.getpid()), "3", "3", f"{home}{os.pathsep}/third/party"])


@pytest.mark.parametrize("code", [143, REPLACE])
def test_a_worker_that_was_asked_to_stop_or_leaves_is_replaced_and_blamed_for_nothing(
    run, stand_in, workshop, tmp_path, code
):
    mark = tmp_path / "mark"
    stand_in(
        f"import os, sys; sys.exit(0 if os.path.exists({str(mark)!r}) else open({str(mark)!r}, 'w').close() or {code})"
    )
    with started(run, 1, DEVICE, 1) as workers:
        wait_while(workers)
    assert mark.exists()
    assert workshop.events(run.path) == []


@pytest.fixture
def heard_ctrl_c():
    """Tests that were started in the background of a shell ignore Ctrl-C."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.mark.usefixtures("heard_ctrl_c")
def test_workers_that_take_their_time_are_killed_when_the_wait_for_them_is_interrupted(run, stand_in):
    stand_in("""
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
""")
    workers = LocalWorkers(run, DEVICE, 1)
    workers.start(2)
    processes = [worker.process for worker in workers._workers]
    while [worker.log.read_text() for worker in workers._workers] != ["ready\n"] * 2:
        time.sleep(0.02)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        workers.stop()
    assert [process.returncode for process in processes] == [-signal.SIGKILL] * 2


def test_a_signal_is_named(run, stand_in, workshop, tmp_path):
    mark = tmp_path / "mark"
    stand_in(f"""
import os
if not os.path.exists({str(mark)!r}):
    open({str(mark)!r}, "w").close()
    os.kill(os.getpid(), {int(signal.SIGSEGV)})
""")
    with started(run, 1, DEVICE, 1) as workers:
        wait_while(workers)
    (event,) = workshop.events(run.path)
    assert event["cause"] == "signal 11 (SIGSEGV)"
    assert event["job"] is None


def test_workers_that_die_before_any_work_are_not_started_for_ever(run, stand_in):
    stand_in("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with started(run, 1, DEVICE, 1) as workers, pytest.raises(RunError, match=r"died 3 times in a row \(signal 11\)"):
        wait_while(workers)
