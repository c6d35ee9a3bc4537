"""Killing what runs, and looking at what it was doing then."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PATIENCE_SECONDS = 120
TABLES = 5
"""Files in tables/: scores.md, scores_last.md, scores.csv, costs.md, costs.csv."""


def kind(phase: str) -> str:
    """The phase as the promise names it."""
    if phase in ("training", "checkpoint", "resumed", "validated"):
        return "training"
    return phase.partition(" ")[0]


@dataclass
class Killer:
    """Ends processes of one run directory with SIGKILL, and remembers in which phases that was."""

    run: Path
    read: Callable[[Path], list[dict[str, Any]]]
    random: random.Random
    phases: set[str] = field(default_factory=set)

    def wait(self, process: subprocess.Popen[str], phases: set[str], since: int) -> dict[str, Any] | None:
        """The first event of one of these phases after event number `since`; None when the process ends without one."""
        stop = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < stop:
            ended = process.poll() is not None
            for event in self.read(self.run)[since:]:
                if kind(event["phase"]) in phases:
                    return event
            if ended:
                return None
            time.sleep(0.002)
        raise AssertionError(f"none of {phases} within {PATIENCE_SECONDS} s: {self.read(self.run)[-5:]}")

    def kill_group(self, process: subprocess.Popen[str], since: int) -> None:
        """End the process and all workers that it started."""
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        self._remember(since, None)

    def kill_worker(self, pid: int, since: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self._remember(since, pid)

    def wait_for_tables(self, process: subprocess.Popen[str]) -> None:
        """Until the first table of a run is being written or just was; the phase begins with reading and importing."""
        before = self._tables()
        while self._tables() == before and process.poll() is None:
            pass

    def half_written(self) -> bool:
        """Whether some tables are there and others are not."""
        return 0 < len(self._tables()) < TABLES

    def _tables(self) -> set[tuple[str, int]]:
        found = set()
        for path in self.run.glob("tables/*"):
            with suppress(FileNotFoundError):
                found.add((path.name, path.stat().st_mtime_ns))
        return found

    def hesitate(self, seconds: float) -> None:
        time.sleep(self.random.uniform(0, seconds))

    def _remember(self, since: int, pid: int | None) -> None:
        last = {event["pid"]: kind(event["phase"]) for event in self.read(self.run)[since:]}
        self.phases |= {phase for who, phase in last.items() if pid in (None, who)}


@pytest.fixture
def killer(workshop) -> Callable[[str], Killer]:
    """Make a killer for a folder; its random times come from a printed seed, or from $KILL_SEED."""

    def make(name: str) -> Killer:
        seed = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(10**6))
        print(f"{name}: KILL_SEED={seed}")
        return Killer(workshop.folder / name, workshop.events, random.Random(seed))

    return make


@pytest.fixture
def nothing_twice(workshop) -> Callable[[Path], None]:
    """Assert that no job went on after it was published, and none was published twice."""

    def check(run: Path) -> None:
        published: set[str] = set()
        for event in workshop.events(run):
            if event["job"] in ("report", None):
                continue
            assert event["job"] not in published, event
            if event["phase"] == "published":
                published.add(event["job"])

    return check
