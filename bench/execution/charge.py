"""Who is in charge of a run directory: several processes may work there, but only by one and the same plan."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from bench.errors import RunError
from bench.files.lock import FileLock
from bench.results.run_directory import RUN_SCHEMA_VERSION, RunDirectory

PATIENCE_SECONDS = 5.0
"""How long to wait for another process that has just started to write down its plan, or is just about to end."""

POLL_SECONDS = 0.1


@contextmanager
def in_charge(run: RunDirectory, content: dict[str, Any]) -> Iterator[None]:
    """Store suite and plan for the workers; beside living processes that did so by the same plan, only join them.

    The plan stays in force until the last of them has ended.

    Raises:
        RunError: a living process works in the folder by another plan, or `clean` is at work there.
    """
    presence = _enter(run, content)
    try:
        yield
    finally:
        with suppress(OSError):  # what a disk that takes no more keeps of it says nothing once it is not locked
            presence.path.unlink(missing_ok=True)
        presence.release()


def _enter(run: RunDirectory, content: dict[str, Any]) -> FileLock:
    """Be one of those in charge; gives the lock that says so."""
    turn = FileLock(run.in_use)
    stop = time.monotonic() + PATIENCE_SECONDS
    while True:
        refusal = f"process {turn.holder()}; "
        if turn.acquire():
            try:
                others = _living(run)
                if not others or _is_planned(run, content):
                    presence = FileLock(run.presence(f"{os.getpid()}-{secrets.token_hex(6)}"))
                    presence.acquire()
                    if not others:
                        run.write_run(content)
                    return presence
                refusal = f"process {others[0].holder()}, which was started with another suite or selection; "
            finally:
                turn.release()
        if time.monotonic() > stop:
            raise RunError(
                f"{run.path} is in use by {refusal}wait until it has ended, or give another folder with --out"
            )
        time.sleep(POLL_SECONDS)


def _living(run: RunDirectory) -> list[FileLock]:
    """The locks of all who are in charge; what killed ones left is removed."""
    locks = [FileLock(path) for path in sorted(run.path.glob(run.presence("*").relative_to(run.path).as_posix()))]
    living = [lock for lock in locks if lock.is_held()]
    for lock in locks:
        if lock not in living:
            lock.path.unlink(missing_ok=True)
    return living


def _is_planned(run: RunDirectory, content: dict[str, Any]) -> bool:
    try:
        stored = run.read_run()
    except RunError:
        return False
    planned: dict[str, Any] = json.loads(json.dumps({"schema_version": RUN_SCHEMA_VERSION, **content}))
    return stored == planned
