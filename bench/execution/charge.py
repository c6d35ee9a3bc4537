"""Who is in charge of a run directory: several processes may work there, but only by one and the same plan."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.errors import RunError
from bench.files.lock import FileLock
from bench.results.run_directory import RUN_SCHEMA_VERSION, RunDirectory

PATIENCE_SECONDS = 5.0
"""How long to wait for another process that has just started to write down its plan, or is just about to end."""

POLL_SECONDS = 0.1


@contextmanager
def in_charge(run: RunDirectory, content: dict[str, Any]) -> Iterator[None]:
    """Store suite and plan for the workers; beside a living process that does so by the same plan, only join it.

    Raises:
        RunError: a living process works in the folder by another plan.
    """
    lock = FileLock(run.in_use)
    stop = time.monotonic() + PATIENCE_SECONDS
    while not (held := lock.acquire()) and not _is_planned(run, content):
        if time.monotonic() > stop:
            raise RunError(
                f"{run.path} is in use by process {lock.holder()}, which was started with another suite or selection; "
                "wait until it has ended, or give another folder with --out"
            )
        time.sleep(POLL_SECONDS)
    if held:
        run.write_run(content)
    try:
        yield
    finally:
        lock.release()


def _is_planned(run: RunDirectory, content: dict[str, Any]) -> bool:
    try:
        stored = run.read_run()
    except RunError:
        return False
    planned: dict[str, Any] = json.loads(json.dumps({"schema_version": RUN_SCHEMA_VERSION, **content}))
    return stored == planned
