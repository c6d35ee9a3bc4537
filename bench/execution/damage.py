"""Published folders that are not whole: noticed before they are used, set aside, and built again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from bench.errors import DataError
from bench.files.checksum import DamagedError, is_sealed, verify_folder
from bench.files.lock import FileLock
from bench.files.storage import saving

_Files = frozenset[tuple[str, int, int]]

MOST_COPIES = 3
"""Copies of one folder that are set aside as damaged; a disk that spoils one more spoils whatever is built there."""


def set_aside(folder: Path, reason: str) -> Path:
    """Rename a damaged folder to `<name>.damaged`, with a warning.

    Raises:
        DataError: so many copies of it were set aside before that building it again would help no more.
        StorageError: it cannot be renamed.
    """
    if _aside(folder, "damaged", MOST_COPIES).exists():
        raise DataError(
            f"{reason}; {MOST_COPIES} damaged copies of {folder.name} were set aside before, so the disk of "
            f"{folder.parent} is not to be trusted: check it or use a folder on another one, and remove "
            f"{folder.name}.damaged and its like to have it built again"
        )
    aside = move_aside(folder, "damaged")
    warnings.warn(f"{reason}; set aside as {aside.name} and built again", stacklevel=2)
    return aside


def move_aside(folder: Path, why: Literal["damaged", "failed"]) -> Path:
    """Rename a folder to `<name>.<why>` (or `.<why>-2`, …), which nobody reads; whoever has it open keeps it.

    Raises:
        StorageError: it cannot be renamed.
        FileNotFoundError: it is not there.
    """
    with saving(folder):
        number = 1
        while (aside := _aside(folder, why, number)).exists():
            number += 1
        folder.rename(aside)
    return aside


def _aside(folder: Path, why: str, number: int) -> Path:
    return folder.with_name(f"{folder.name}.{why}{f'-{number}' if number > 1 else ''}")


class Inspection:
    """What a process has compared with its checksums: every folder once, and again when size or time of a file changed.

    Reading all cases before every cell would take longer than some cells.

    Args:
        lock_of: a new lock of whoever builds a folder.
    """

    def __init__(self, lock_of: Callable[[Path], FileLock]) -> None:
        self._lock_of = lock_of
        self._whole: dict[Path, _Files] = {}

    def without_damage(self, folders: Sequence[Path]) -> bool:
        """Whether published folders are whole; the damaged ones are set aside, so that their jobs run again.

        Raises:
            DataError, StorageError: as `set_aside`.
        """
        whole = True
        for folder in folders:
            files = _files(folder)
            if files and self._whole.get(folder) == files:
                continue
            try:
                verify_folder(folder)
                self._whole[folder] = files
            except (DamagedError, FileNotFoundError):  # the latter when somebody sets it aside meanwhile
                whole = False
                self._set_aside(folder)
        return whole

    def _set_aside(self, folder: Path) -> None:
        """Look again as the only one: others may have noticed too, and may have built the folder again by now."""
        lock = self._lock_of(folder)
        if not lock.acquire():  # it is being built
            return
        try:
            verify_folder(folder)
        except DamagedError as error:
            if folder.exists():
                set_aside(folder, str(error))
        finally:
            lock.release()


def _files(folder: Path) -> _Files:
    """Name, size and modification time of everything in a folder; empty when something vanished meanwhile."""
    found = set()
    try:
        for item in folder.rglob("*"):
            state = item.lstat()
            found.add((item.relative_to(folder).as_posix(), state.st_size, state.st_mtime_ns))
    except FileNotFoundError:
        return frozenset()
    return frozenset(found)


def make_room(target: Path) -> None:
    """Set aside what stands where a job will publish without being a published folder, such as a part of a copy."""
    if target.exists() and not is_sealed(target):
        set_aside(target, f"{target} has no seal")
