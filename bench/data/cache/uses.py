"""Which entries living processes use: a use is a kernel lock on a file, so it ends with its holder, however it ends."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.data.cache.layout import Layout, check_identity
from bench.files.atomic import sweep, write_json
from bench.files.lock import FileLock


@contextmanager
def using(cache: Layout, identities: Iterable[str]) -> Iterator[None]:
    """Keep entries from being evicted for as long as the context, or the process, lasts.

    Entries that are still to be built can be named too. What `holds` says within the context stays true, but for
    damage.

    Raises:
        DataError: something that is no identity.
    """
    names = sorted({check_identity(identity) for identity in identities})
    file = cache.place("uses") / f"{os.getpid()}-{secrets.token_hex(6)}.json"
    lock = FileLock(file.with_suffix(".lock"))
    with cache.turn():
        lock.acquire()
        write_json(file, names)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        lock.path.unlink(missing_ok=True)
        lock.release()


def used(cache: Layout) -> frozenset[str]:
    """Identities that living processes use."""
    living = filter(_is_living, cache.place("uses").glob("*.json"))
    return frozenset(identity for file in living for identity in _read(file))


def sweep_uses(cache: Layout) -> None:
    """Remove what processes left behind that did not come to their end; only in one's turn."""
    folder = cache.place("uses")
    sweep(folder)
    for file in (*folder.glob("*.json"), *folder.glob("*.lock")):
        if not _is_living(file):
            file.unlink(missing_ok=True)


def _is_living(file: Path) -> bool:
    return FileLock(file.with_suffix(".lock")).is_held()


def _read(file: Path) -> list[str]:
    try:
        return list(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:  # its process came to its end just now
        return []
