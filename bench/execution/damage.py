"""Published folders that are not whole: noticed before they are used, set aside, and built again."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bench.files.checksum import DamagedError, is_sealed, verify_folder


def set_aside(folder: Path, reason: str) -> Path:
    """Rename a folder to `<name>.damaged` (or `.damaged-2`, …), with a warning; whoever has it open keeps it."""
    number, aside = 1, folder.with_name(f"{folder.name}.damaged")
    while aside.exists():
        number += 1
        aside = folder.with_name(f"{folder.name}.damaged-{number}")
    folder.rename(aside)
    warnings.warn(f"{reason}; set aside as {aside.name} and built again", stacklevel=2)
    return aside


def without_damage(folders: Sequence[Path]) -> bool:
    """Compare published folders with their checksums; the damaged ones are set aside, so that their jobs run again."""
    whole = True
    for folder in folders:
        try:
            verify_folder(folder)
        except DamagedError as error:
            whole = False
            with suppress(FileNotFoundError):  # another worker noticed at the same time
                set_aside(folder, str(error))
    return whole


def make_room(target: Path) -> None:
    """Set aside what stands where a job will publish without being a published folder, such as a part of a copy."""
    if target.exists() and not is_sealed(target):
        set_aside(target, f"{target} has no seal")
