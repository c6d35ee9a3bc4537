"""What lies in a cache."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.data.cache.layout import DAMAGED, Layout
from bench.data.cache.uses import used
from bench.files.checksum import is_sealed
from bench.files.names import is_plain
from bench.files.sizes import folder_bytes

State = Literal["whole", "damaged", "unfinished"]
"""Unfinished: being built if it is in use, else left by a killed process."""


@dataclass(frozen=True)
class Entry:
    """One folder of the cache.

    identity   its name; `….damaged` or `….damaged-2` when it was set aside.
    last_used  seconds since 1970.
    in_use     by a living process, which may be the one that fills it.
    """

    identity: str
    path: Path
    bytes: int
    last_used: float
    in_use: bool
    state: State


def list_entries(cache: Layout) -> tuple[Entry, ...]:
    """Everything that takes room, by identity."""
    living = used(cache)
    found = []
    for place in ("building", "entries"):
        for path in sorted(cache.place(place).iterdir()):
            if is_plain(path.name) and path.is_dir() and not path.is_symlink():
                found.append(_entry(cache, path, living))
    return tuple(sorted((entry for entry in found if entry is not None), key=lambda entry: entry.identity))


def _entry(cache: Layout, path: Path, living: frozenset[str]) -> Entry | None:
    """None when it was removed just now."""
    in_use, state = False, _state(path)
    if state != "damaged":
        locked = cache.lock(path.name).is_held()
        in_use = locked or (state == "whole" and path.name in living)
    try:
        return Entry(path.name, path, folder_bytes(path), path.stat().st_mtime, in_use, state)
    except FileNotFoundError:
        return None


def _state(path: Path) -> State:
    if DAMAGED.search(path.name):
        return "damaged"
    return "whole" if path.parent.name == "entries" and is_sealed(path) else "unfinished"
