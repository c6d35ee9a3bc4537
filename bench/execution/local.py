"""Start workers as processes of this machine, and start them again when they die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import RunError
from bench.execution.claims import held_by, note_death
from bench.execution.watch import PARENT
from bench.files.home import HOME
from bench.files.jsonl import append_jsonl
from bench.results.run_directory import RunDirectory

ERROR_MARK = "error: "
"""What the command line prints before the message of an error."""


class LocalWorkers:
    """Worker processes of one run on this machine; use `started` to have them ended with the block."""

    def __init__(self, run: RunDirectory, count: int, device: str, threads: int) -> None:
        self._run, self._device, self._threads = run, device, threads
        self._logs = run.path / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._processes = [self._start(index) for index in range(count)]

    def running(self) -> bool:
        """Whether any worker is still at work; a dead one has its job noted and is replaced.

        Raises:
            RunError: a worker refused to go on; its message is included.
        """
        for index, process in enumerate(self._processes):
            code = process.poll()
            if code is None or code == 0:
                continue
            if code > 0:
                raise RunError(
                    self._last_words(index) or f"a worker ended with exit code {code}; see {self._log(index)}"
                )
            self._note(process.pid, -code)
            self._processes[index] = self._start(index)
        return any(process.poll() is None for process in self._processes)

    def stop(self) -> None:
        """Ask all workers to end, and wait until they have."""
        for process in self._processes:
            if process.poll() is None:
                process.terminate()
        for process in self._processes:
            process.wait()

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        """One `python -m bench work RUN`; -P keeps the working directory from shadowing our packages."""
        environment = os.environ | {
            PARENT: str(os.getpid()),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(HOME), os.environ.get("PYTHONPATH")])),
            "OMP_NUM_THREADS": str(self._threads),
            "MKL_NUM_THREADS": str(self._threads),
        }
        command = [sys.executable, "-P", "-m", "bench", "work", str(self._run.path), "--device", self._device]
        with self._log(index).open("wb") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def _log(self, index: int) -> Path:
        return self._logs / f"worker-{index}.log"

    def _note(self, pid: int, number: int) -> None:
        cause = f"signal {number} ({signal.Signals(number).name})" + (", likely out of memory" if number == 9 else "")
        job = held_by(self._run, pid)
        append_jsonl(self._run.events, {"phase": "worker died", "pid": pid, "job": job, "cause": cause})
        if job is not None:
            note_death(self._run, job, cause)

    def _last_words(self, index: int) -> str:
        """The error that a worker printed before it ended."""
        return self._log(index).read_text(encoding="utf-8", errors="replace").rpartition(ERROR_MARK)[2].strip()


@contextmanager
def started(run: RunDirectory, count: int, device: str, threads: int) -> Iterator[LocalWorkers]:
    """Workers that live as long as the block."""
    workers = LocalWorkers(run, count, device, threads)
    try:
        yield workers
    finally:
        workers.stop()
