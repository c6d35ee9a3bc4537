"""Making room: what nobody uses goes, leftovers first, then what was used the longest time ago."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress

from bench.data.cache.entries import Entry, list_entries
from bench.data.cache.layout import Layout
from bench.data.cache.sizes import as_text
from bench.data.cache.uses import sweep_uses
from bench.errors import DataError
from bench.files.atomic import TEMPORARY, sweep

LIMIT_VARIABLE = "IMBALANCE_BENCH_CACHE_LIMIT"


def make_room(cache: Layout, limit_bytes: int, identity: str) -> None:
    """Remove entries until all that lies in the cache, what is being built included, is within the limit.

    Args:
        identity: the entry that is about to be published, whose lock the caller holds.

    Raises:
        DataError: what is in use and the new entry exceed the limit together; nothing is removed then.
    """
    with cache.turn():
        _tidy(cache)
        entries = list_entries(cache)
        excess = sum(entry.bytes for entry in entries) - limit_bytes
        going = [entry for entry in removal_order(entries) if entry.identity != identity]
        if excess > sum(entry.bytes for entry in going):
            raise DataError(_no_room(cache, limit_bytes, identity, entries))
        for entry in going:
            if excess <= 0:
                break
            if _discard(cache, entry):
                excess -= entry.bytes
        if excess > 0:  # somebody fills one of them again at this very moment
            raise DataError(_no_room(cache, limit_bytes, identity, list_entries(cache)))


def removal_order(entries: Iterable[Entry]) -> list[Entry]:
    """What may be removed: leftovers, then whole entries, the one used the longest time ago first."""
    return sorted((e for e in entries if not e.in_use), key=lambda e: (e.state == "whole", e.last_used, e.identity))


def remove(cache: Layout, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Remove entries that were listed before, but for those that came into use since; returns what was removed."""
    with cache.turn():
        _tidy(cache)
        free = {entry.path for entry in list_entries(cache) if not entry.in_use}
        return tuple(entry for entry in entries if entry.path in free and _discard(cache, entry))


def discard_unsealed(cache: Layout, identity: str) -> None:
    """Remove a part of a copy, or what else stands in the place of an entry without being one."""
    with cache.turn():
        for entry in list_entries(cache):
            if entry.path == cache.folder(identity) and entry.state == "unfinished":
                _rename_away(cache, entry)


def _discard(cache: Layout, entry: Entry) -> bool:
    """Remove an entry unless somebody fills or removes it; whoever still has its arrays mapped keeps them."""
    if entry.state == "damaged":
        return _rename_away(cache, entry)
    lock = cache.lock(entry.identity)
    if not lock.acquire():
        return False
    try:
        return _rename_away(cache, entry)
    finally:
        lock.release()


def _rename_away(cache: Layout, entry: Entry) -> bool:
    """In one step from the cache's point of view: no reader ever finds a part of an entry."""
    away = cache.root / f"{TEMPORARY}{secrets.token_hex(6)}"
    with suppress(FileNotFoundError):  # set aside as damaged at this very moment
        entry.path.rename(away)
        shutil.rmtree(away)
        return True
    return False


def _tidy(cache: Layout) -> None:
    """Remove what killed processes left that is neither an entry nor a part of one."""
    sweep(cache.root)
    sweep_uses(cache)


def _no_room(cache: Layout, limit_bytes: int, identity: str, entries: Sequence[Entry]) -> str:
    new = sum(entry.bytes for entry in entries if entry.identity == identity)
    used = [entry for entry in entries if entry.in_use and entry.identity != identity]
    total = sum(entry.bytes for entry in used)
    enough = as_text((total + new) * 101 // 100 + 1)  # three digits may round down
    return (
        f"{cache.root}: {identity} needs {as_text(new)} ({new} bytes), but the limit is {as_text(limit_bytes)} and "
        f"entries in use ({len(used)}) take {as_text(total)} of it; set {LIMIT_VARIABLE} to at least {enough}, or wait "
        "until other runs have ended"
    )
