"""What a run directory holds that nobody needs any more, and its removal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import RunError
from bench.execution.baseline_job import baseline_id
from bench.execution.claims import claim
from bench.files.atomic import remove_folder
from bench.files.checksum import SEAL
from bench.files.lock import FileLock
from bench.files.names import is_plain
from bench.files.sizes import folder_bytes
from bench.results.run_directory import SET_ASIDE, RunDirectory

PLACES = ("baselines", "cells", "pretrained", "work")
"""Folders of a run directory whose entries belong to jobs."""


@dataclass(frozen=True)
class Leftover:
    """A folder to be removed, and why."""

    path: Path
    why: str

    @property
    def size(self) -> int:
        """Bytes of all files in it."""
        return folder_bytes(self.path)


def leftovers(run: RunDirectory) -> tuple[Leftover, ...]:
    """Cells and unfinished work that the plan does not name, and folders that were set aside.

    Raises:
        RunError: not a run directory.
    """
    content = run.read_run()
    jobs = {job["id"] for kind in ("cells", "prepare", "maps", "pretrain") for job in content["plan"].get(kind, ())}
    jobs |= {baseline_id(cell["test"]) for cell in content["plan"]["cells"]}
    found = []
    for place in PLACES:
        for path in sorted(_entries(run.path / place)):
            if match := SET_ASIDE.search(path.name):
                found.append(Leftover(path, f"set aside as {match[1]}"))
            elif path.name not in jobs:
                found.append(Leftover(path, "not in the plan"))
    return tuple(found)


def remove(run: RunDirectory, shown: Iterable[Leftover]) -> tuple[Leftover, ...]:
    """Remove folders that were left over when they were listed, and are so still; returns what was removed.

    Raises:
        RunError: a living process works in the folder; nothing was removed.
    """
    paths = {one.path for one in shown}
    with _nobody_at_work(run):
        return tuple(one for one in leftovers(run) if one.path in paths and _remove(run, one.path))


def _remove(run: RunDirectory, folder: Path) -> bool:
    """Remove a folder unless a worker that has come since has its job."""
    job = SET_ASIDE.sub("", folder.name)
    with ExitStack() as held:
        if is_plain(job):  # no job has another name
            lock = claim(run, job)
            if lock is None:
                return False
            held.callback(lock.release)
        # The seal goes first, so that a part of the folder is never taken for the whole.
        (folder / SEAL).unlink(missing_ok=True)
        remove_folder(folder)
    return True


@contextmanager
def _nobody_at_work(run: RunDirectory) -> Iterator[None]:
    """Keep other runs out for the time of the block.

    Raises:
        RunError: a living process works in the folder.
    """
    lock = FileLock(run.in_use)
    if not lock.acquire():
        raise _in_use(run, lock)
    try:
        for path in sorted((run.path / "claims").glob("*.lock")):
            held = FileLock(path)
            if held.is_held():
                raise _in_use(run, held)
        yield
    finally:
        lock.release()


def _in_use(run: RunDirectory, lock: FileLock) -> RunError:
    return RunError(f"{run.path} is in use by process {lock.holder()}; nothing was removed, wait until it has ended")


def _entries(folder: Path) -> Iterator[Path]:
    """The real folders in a real folder: what a link leads to lies elsewhere and is nobody's to remove here."""
    if folder.is_dir() and not folder.is_symlink():
        yield from (path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
