"""Where the things of a cache lie, and whose turn it is to change what is there.

entries/    `<identity>/`: published entries; `<identity>.damaged/`: those that were set aside
building/   `<identity>/`: being filled by whoever holds the entry's lock
locks/      `<identity>.lock`, and `.turn`
uses/       `<name>.json`, `<name>.lock`: which entries a living process uses
.tmp-*/     entries on their way out
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DataError
from bench.files.lock import FileLock
from bench.files.names import is_plain
from bench.files.storage import saving

DAMAGED = re.compile(r"\.damaged(-\d+)?$")
POLL_SECONDS = 0.005


def check_identity(identity: str) -> str:
    """Give an identity back that can be the name of a folder and of nothing else.

    Raises:
        DataError: it has another form; as in a run.json that somebody made up.
    """
    if not is_plain(identity) or DAMAGED.search(identity):
        raise DataError(
            f"{identity!r} is no identity of a cached case; expected letters, digits and . _ + -, beginning with a "
            "letter or digit, at most 150 of them"
        )
    return identity


@dataclass(frozen=True)
class Layout:
    """The folders of one cache."""

    root: Path

    def folder(self, identity: str) -> Path:
        """Where an entry is published."""
        return self.place("entries") / check_identity(identity)

    def building(self, identity: str) -> Path:
        """Where an entry is filled, on the same file system, by whoever holds its lock."""
        return self.place("building") / check_identity(identity)

    def lock(self, identity: str) -> FileLock:
        """The lock of whoever fills an entry, or removes it."""
        return FileLock(self.place("locks") / f"{check_identity(identity)}.lock")

    def place(self, name: str) -> Path:
        """One of the folders of the cache, made when it is missing.

        Raises:
            DataError: there is a link to another place, where other things than entries would be taken for entries.
        """
        path = self.root / name
        if path.is_symlink():
            raise DataError(f"{path} is a link; expected a folder (the whole of {self.root} may be a link)")
        with saving(path):
            path.mkdir(parents=True, exist_ok=True)
        return path

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait to be the only process that registers uses or removes entries; to be held for moments only."""
        lock = FileLock(self.place("locks") / ".turn")
        while not lock.acquire():
            time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            lock.release()
