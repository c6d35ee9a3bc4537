"""What a job says while it works: a phase log for the record, a small progress file for whoever looks on."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from bench import stopping
from bench.files.atomic import write_json
from bench.files.jsonl import append_jsonl

PROGRESS = "progress.json"
EVERY_SECONDS = 0.5

PARENT = "IMBALANCE_BENCH_PARENT"
"""Environment variable with the pid of the process that started this worker."""


class JobWatch:
    """Writes the phases of one job to the run's `events.jsonl` and its progress to the working folder."""

    def __init__(self, events: Path, job: str, working: Path) -> None:
        self.job = job
        self._events, self._working = events, working
        self._phase = ""
        self._written = 0.0

    def __call__(self, phase: str, step: int = 0, **facts: float) -> None:
        """Note a phase; a repeated phase only refreshes the progress file, at most twice a second."""
        ask_without_parent()
        now = time.monotonic()
        if phase != self._phase:
            self.event(phase, step=step, **facts)
        elif now - self._written < EVERY_SECONDS:
            return
        self._phase, self._written = phase, now
        write_json(self._working / PROGRESS, {"phase": phase, "step": step, "pid": os.getpid(), **facts})

    def event(self, phase: str, **facts: Any) -> None:
        """Append one line to the phase log."""
        append_jsonl(self._events, {"time": time.time(), "pid": os.getpid(), "job": self.job, "phase": phase, **facts})


def ask_without_parent() -> None:
    """Ask this worker to stop when the process that started it is gone: nobody else could."""
    parent = os.environ.get(PARENT)
    if parent is not None and os.getppid() != int(parent):
        stopping.ask(1)
