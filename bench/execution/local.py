"""Start workers as processes of this machine, and start them again when they die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import RunError
from bench.execution.claims import FATAL_DEATHS, note_death
from bench.execution.watch import PARENT
from bench.files.home import HOME
from bench.files.jsonl import append_jsonl
from bench.results.run_directory import RunDirectory

ERROR_MARK = "error: "
"""What the command line prints before the message of an error."""


@dataclass(frozen=True)
class _Worker:
    process: subprocess.Popen[bytes]
    since: float
    log: Path
    offset: int
    """Where this worker's part of the log begins."""

    def last_words(self, code: int) -> str:
        """The error that the worker printed before it ended, else the last line of its log and where the rest is."""
        text = self.log.read_bytes()[self.offset :].decode("utf-8", errors="replace").strip()
        _, mark, message = f"\n{text}".rpartition(f"\n{ERROR_MARK}")
        if mark:
            return message
        last = text.splitlines()[-1:] or ["without a word"]
        return f"a worker ended with exit code {code} ({last[0]}); see {self.log}"


class LocalWorkers:
    """Worker processes of one run on this machine; use `started` to have them ended with the block."""

    def __init__(self, run: RunDirectory, device: str, threads: int) -> None:
        self._run, self._device, self._threads = run, device, threads
        self._workers: list[_Worker] = []
        self._idle_deaths = 0

    def start(self, count: int) -> None:
        """Start so many workers."""
        for index in range(count):
            self._workers.append(self._start(index))

    def running(self) -> bool:
        """Whether any worker is still at work; a dead one has its job noted and is replaced.

        Raises:
            RunError: a worker refused to go on; its message is included.
        """
        for index, worker in enumerate(self._workers):
            code = worker.process.poll()
            if code is None or code == 0:
                continue
            if code > 0:
                raise RunError(worker.last_words(code))
            self._idle_deaths = 0 if self._note(worker, -code) else self._idle_deaths + 1
            if self._idle_deaths >= FATAL_DEATHS:
                raise RunError(
                    f"workers died {FATAL_DEATHS} times in a row (signal {-code}) before any work; see {worker.log}"
                )
            self._workers[index] = self._start(index)
        return any(worker.process.poll() is None for worker in self._workers)

    def stop(self) -> None:
        """Ask all workers to end, and wait until they have."""
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.wait()

    def _start(self, index: int) -> _Worker:
        """One `python -m bench work RUN`; -P keeps the working directory from shadowing our packages."""
        environment = os.environ | {
            PARENT: str(os.getpid()),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(HOME), os.environ.get("PYTHONPATH")])),
            "OMP_NUM_THREADS": str(self._threads),
            "MKL_NUM_THREADS": str(self._threads),
        }
        command = [sys.executable, "-P", "-m", "bench", "work", str(self._run.path), "--device", self._device]
        path = self._run.path / "logs" / f"worker-{os.getpid()}-{index}.log"
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as log:
            since, offset = time.time(), log.tell()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        return _Worker(process, since, path, offset)

    def _note(self, worker: _Worker, number: int) -> str | None:
        """Remember a death; returns the job that the worker was at, if any."""
        pid = worker.process.pid
        cause = f"signal {number} ({signal.Signals(number).name})" + (", likely out of memory" if number == 9 else "")
        job = note_death(self._run, pid, worker.since, cause)
        append_jsonl(
            self._run.events, {"time": time.time(), "pid": pid, "job": job, "phase": "worker died", "cause": cause}
        )
        return job


@contextmanager
def started(run: RunDirectory, count: int, device: str, threads: int) -> Iterator[LocalWorkers]:
    """Workers that live as long as the block."""
    workers = LocalWorkers(run, device, threads)
    try:
        workers.start(count)
        yield workers
    finally:
        workers.stop()
