"""What a run directory holds that nobody needs any more, and its removal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import RunError
from bench.execution.baseline_job import baseline_id
from bench.files.checksum import SEAL
from bench.files.lock import FileLock
from bench.results.run_directory import SET_ASIDE, RunDirectory

PLACES = ("baselines", "cells", "work")
"""Folders of a run directory whose entries belong to jobs."""


@dataclass(frozen=True)
class Leftover:
    """A folder to be removed, and why."""

    path: Path
    why: str

    @property
    def size(self) -> int:
        """Bytes of all files in it."""
        return sum(item.lstat().st_size for item in self.path.rglob("*") if not item.is_dir())


def leftovers(run: RunDirectory) -> tuple[Leftover, ...]:
    """Cells and unfinished work that the plan does not name, and folders that were set aside.

    Raises:
        RunError: not a run directory.
    """
    content = run.read_run()
    jobs = {job["id"] for kind in ("cells", "prepare", "maps") for job in content["plan"].get(kind, ())}
    jobs |= {baseline_id(cell["test"]) for cell in content["plan"]["cells"]}
    found = []
    for place in PLACES:
        for path in sorted(_entries(run.path / place)):
            if match := SET_ASIDE.search(path.name):
                found.append(Leftover(path, f"set aside as {match[1]}"))
            elif path.name not in jobs:
                found.append(Leftover(path, "not in the plan"))
    return tuple(found)


def remove(found: Leftover) -> None:
    """Remove a folder; its seal goes first, so that a part of it is never taken for the whole."""
    (found.path / SEAL).unlink(missing_ok=True)
    shutil.rmtree(found.path)


@contextmanager
def nobody_at_work(run: RunDirectory) -> Iterator[None]:
    """Keep other runs out for the time of the block.

    Raises:
        RunError: a living process works in the folder.
    """
    lock = FileLock(run.in_use)
    if not lock.acquire():
        raise _in_use(run, lock)
    try:
        for path in sorted((run.path / "claims").glob("*.lock")):
            claim = FileLock(path)
            if claim.is_held():
                raise _in_use(run, claim)
        yield
    finally:
        lock.release()


def _in_use(run: RunDirectory, lock: FileLock) -> RunError:
    return RunError(f"{run.path} is in use by process {lock.holder()}; nothing was removed, wait until it has ended")


def _entries(folder: Path) -> Iterator[Path]:
    """The real folders in a real folder: what a link leads to lies elsewhere and is nobody's to remove here."""
    if folder.is_dir() and not folder.is_symlink():
        yield from (path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
