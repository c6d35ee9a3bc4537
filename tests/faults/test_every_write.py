"""A process that is killed at its n-th durable write, again and again, ends with the same bytes."""

from __future__ import annotations

import multiprocessing
import os
import random
import runpy
import signal
from pathlib import Path

import pytest

SHORTEST, LONGEST = 25, 90
"""Durable writes that a process lives for; the longest stretch without anything to resume from takes about 20."""


def forking():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["bench.api", "bench.execution.worker", "bench.report.writing", "monai.inferers.utils", "torch._dynamo"]
    )
    return context


def live(run: Path, writes: int) -> None:
    """Work and report, and die at a write: before it is flushed, or after it took its place."""
    from bench.api import rebuild
    from bench.execution.worker import work
    from bench.files import atomic
    from bench.results.run_directory import RunDirectory

    left, flush = writes, atomic.flush

    def count(path: Path) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        flush(path)

    atomic.flush = count
    work(RunDirectory(run), "cpu")
    rebuild(RunDirectory(run))


@pytest.mark.slow
def test_dying_at_random_writes_changes_no_byte(workshop, uninterrupted):
    seed = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(10**6))
    print(f"KILL_SEED={seed}")
    draw, run, codes = random.Random(seed), workshop.begin(workshop.suite()), []
    while not codes or codes[-1] == -signal.SIGKILL:
        arguments = {"run": run.path, "writes": draw.randint(SHORTEST, LONGEST)}
        process = forking().Process(target=runpy.run_path, args=(__file__, {"short life": arguments}, "short life"))
        process.start()
        process.join()
        codes.append(process.exitcode)
        assert len(codes) < 100
    assert codes[-1] == 0
    assert len(codes) > 3
    assert workshop.scores(run.path) == workshop.scores(uninterrupted)


if __name__ == "short life":
    live(**globals()["short life"])
