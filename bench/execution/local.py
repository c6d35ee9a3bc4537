"""Start workers as processes of this machine, and start them again when they die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import stopping
from bench.errors import RunError
from bench.execution import last_words
from bench.execution.claims import FATAL_DEATHS, note_death
from bench.execution.last_words import Ear
from bench.execution.watch import PARENT
from bench.files.home import HOME
from bench.files.jsonl import append_jsonl
from bench.files.storage import make_folder, saving
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
    ear: Ear

    def last_words(self, code: int) -> str:
        """The error that the worker printed before it ended, else the last line of its log and where the rest is."""
        if said := self.ear.hear():
            return said
        if not self.log.is_file():
            return f"a worker ended with exit code {code}; its log {self.log} was removed during the run"
        text = self.log.read_bytes()[self.offset :].decode("utf-8", errors="replace").strip()
        _, mark, message = f"\n{text}".rpartition(f"\n{ERROR_MARK}")
        if mark:
            return message
        last = text.splitlines()[-1:] or ["without a word"]
        return f"a worker ended with exit code {code} ({last[0]}); see {self.log}"


class LocalWorkers:
    """Worker processes of one run on this machine; use `started` to have them ended with the block."""

    def __init__(self, run: RunDirectory, options: Sequence[str], threads: int) -> None:
        self._run, self._options, self._threads = run, options, threads
        self._workers: list[_Worker] = []
        self._idle_deaths = 0

    def start(self, count: int) -> None:
        """Start so many workers."""
        for index in range(count):
            self._workers.append(self._start(index))

    def running(self) -> bool:
        """Whether any worker is still at work; one that was asked to stop, left or died, its job noted, is replaced.

        Raises:
            RunError: a worker refused to go on; its message is included.
        """
        for index, worker in enumerate(self._workers):
            code = worker.process.poll()
            if code is None or code == 0:
                continue
            if code < 0:
                self._count(worker, -code)
            elif code not in (*stopping.CODES.values(), stopping.REPLACE):
                raise RunError(worker.last_words(code))
            self._workers[index] = self._start(index)
        # As seen above: one that ended since then may have done so with an error, and is looked at the next time.
        return any(worker.process.returncode is None for worker in self._workers)

    def stop(self) -> None:
        """Ask all workers to end, and wait until each has come to a safe point; end them at once when interrupted."""
        try:
            for worker in self._workers:
                worker.process.terminate()
            for worker in self._workers:
                worker.process.wait()
        except BaseException:
            for worker in self._workers:
                worker.process.kill()
            for worker in self._workers:
                worker.process.wait()
            raise

    def _start(self, index: int) -> _Worker:
        """One `python -m bench work RUN`; -P keeps the working directory from shadowing our packages."""
        ear = Ear()
        environment = os.environ | {
            PARENT: str(os.getpid()),
            last_words.VARIABLE: str(ear.number),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(HOME), os.environ.get("PYTHONPATH")])),
            "OMP_NUM_THREADS": str(self._threads),
            "MKL_NUM_THREADS": str(self._threads),
        }
        command = [sys.executable, "-P", "-m", "bench", "work", str(self._run.path), *self._options]
        path = self._run.path / "logs" / f"worker-{os.getpid()}-{index}.log"
        make_folder(path.parent)
        with saving(path), path.open("ab") as log:
            since, offset = time.time(), log.tell()
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, pass_fds=(ear.number,)
            )
        ear.started()
        return _Worker(process, since, path, offset, ear)

    def _count(self, worker: _Worker, number: int) -> None:
        self._idle_deaths = 0 if self._note(worker, number) else self._idle_deaths + 1
        if self._idle_deaths >= FATAL_DEATHS:
            raise RunError(
                f"workers died {FATAL_DEATHS} times in a row (signal {number}) before any work; see {worker.log}"
            )

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
def started(run: RunDirectory, count: int, options: Sequence[str], threads: int) -> Iterator[LocalWorkers]:
    """Workers that live as long as the block; `options` are those of the command `work`."""
    workers = LocalWorkers(run, options, threads)
    try:
        workers.start(count)
        yield workers
    finally:
        workers.stop()
