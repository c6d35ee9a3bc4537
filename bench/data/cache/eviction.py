"""Making room: what nobody uses goes, leftovers first, then what was used the longest time ago."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from bench.data.cache.entries import Entry, list_entries
from bench.data.cache.layout import Layout
from bench.data.cache.sizes import as_text
from bench.data.cache.uses import sweep_uses, used
from bench.errors import DataError
from bench.files.atomic import sweep
from bench.files.names import TEMPORARY

LIMIT_VARIABLE = "IMBALANCE_BENCH_CACHE_LIMIT"


def make_room(cache: Layout, limit_bytes: int, identity: str) -> None:
    """Remove entries until all that lies in the cache, what is being built included, is within the limit.

    Args:
        identity: the entry that is about to be published, whose lock the caller holds.

    Raises:
        DataError: what is in use and the new entry exceed the limit together; nothing is removed then.
    """
    with _turn(cache):
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
    with _turn(cache):
        free = {entry.path for entry in list_entries(cache) if not entry.in_use}
        return tuple(entry for entry in entries if entry.path in free and _discard(cache, entry))


def discard_unsealed(cache: Layout, identity: str) -> None:
    """Remove a part of a copy, or what else stands in the place of an entry without being one."""
    with _turn(cache):
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
        return True
    return False


@contextmanager
def _turn(cache: Layout) -> Iterator[None]:
    """The turn, for renaming entries away; removing them, and what killed processes left, keeps nobody waiting."""
    try:
        with cache.turn():
            sweep_uses(cache)
            yield
    finally:
        sweep(cache.root)


def _no_room(cache: Layout, limit_bytes: int, identity: str, entries: Sequence[Entry]) -> str:
    new = sum(entry.bytes for entry in entries if entry.identity == identity)
    busy = [entry for entry in entries if entry.in_use and entry.identity != identity]
    total = sum(entry.bytes for entry in busy)
    sizes = [new, *(entry.bytes for entry in busy if entry.state == "whole")]
    missing = len(used(cache) - {entry.identity for entry in busy if entry.state == "whole"} - {identity})
    advice = f"at least {_enough(total + new)}"
    if missing:
        whole = total + new + missing * sum(sizes) // len(sizes)
        advice += (
            f", which is enough for this entry only; {missing} more that are to be used are not built yet: of the same "
            f"mean size ({as_text(sum(sizes) // len(sizes))}), all together take about {_enough(whole)}"
        )
    return (
        f"{cache.root}: {identity} needs {as_text(new)} ({new} bytes), but the limit is {as_text(limit_bytes)} and "
        f"entries in use ({len(busy)}) take {as_text(total)} of it; set {LIMIT_VARIABLE} to {advice}; or wait until "
        "other runs have ended"
    )


def _enough(size: int) -> str:
    return as_text(size * 101 // 100 + 1)  # three digits may round down
