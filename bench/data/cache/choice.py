"""Which entries a user's wish to clean up means."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bench.data.cache.entries import Entry
from bench.data.cache.eviction import removal_order

SECONDS_PER_DAY = 86_400


def choose(
    entries: Sequence[Entry],
    *,
    older_than_days: float | None = None,
    to_bytes: int | None = None,
    everything: bool = False,
) -> tuple[Entry, ...]:
    """What to remove, never what is in use: leftovers always, whole entries as any of the wishes says.

    Args:
        older_than_days: those that were last used before.
        to_bytes: the least recently used, until all that stays takes no more than this, if that can be had.
        everything: all of them.
    """
    chosen, total = [], sum(entry.bytes for entry in entries)
    for entry in removal_order(entries):
        old = older_than_days is not None and time.time() - entry.last_used > older_than_days * SECONDS_PER_DAY
        much = to_bytes is not None and total > to_bytes
        if entry.state != "whole" or everything or old or much:
            chosen.append(entry)
            total -= entry.bytes
    return tuple(chosen)
