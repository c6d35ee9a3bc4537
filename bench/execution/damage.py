"""Published folders that are not whole: noticed before they are used, set aside, and built again."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from bench.files.checksum import DamagedError, is_sealed, verify_folder

_Files = frozenset[tuple[str, int, int]]


def set_aside(folder: Path, reason: str) -> Path:
    """Rename a damaged folder to `<name>.damaged`, with a warning."""
    aside = move_aside(folder, "damaged")
    warnings.warn(f"{reason}; set aside as {aside.name} and built again", stacklevel=2)
    return aside


def move_aside(folder: Path, why: Literal["damaged", "failed"]) -> Path:
    """Rename a folder to `<name>.<why>` (or `.<why>-2`, …), which nobody reads; whoever has it open keeps it."""
    number, aside = 1, folder.with_name(f"{folder.name}.{why}")
    while aside.exists():
        number += 1
        aside = folder.with_name(f"{folder.name}.{why}-{number}")
    folder.rename(aside)
    return aside


class Inspection:
    """What a process has compared with its checksums: every folder once, and again when size or time of a file changed.

    Reading all cases before every cell would take longer than some cells.
    """

    def __init__(self) -> None:
        self._whole: dict[Path, _Files] = {}

    def without_damage(self, folders: Sequence[Path]) -> bool:
        """Whether published folders are whole; the damaged ones are set aside, so that their jobs run again."""
        whole = True
        for folder in folders:
            files = _files(folder)
            if files and self._whole.get(folder) == files:
                continue
            try:
                verify_folder(folder)
                self._whole[folder] = files
            except DamagedError as error:
                whole = False
                with suppress(FileNotFoundError):  # another worker noticed at the same time
                    set_aside(folder, str(error))
        return whole


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
