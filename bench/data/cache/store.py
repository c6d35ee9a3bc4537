"""The cache of preprocessed cases: a content-addressed folder that every cell, worker, run and suite shares.

An entry's identity is a hash of everything that can change its content, so entries never change: a changed source,
setting or code version is another entry, and what nobody asks for any more is evicted in the end.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.data.cache.entries import Entry, list_entries
from bench.data.cache.eviction import LIMIT_VARIABLE, discard_unsealed, make_room, remove
from bench.data.cache.layout import Layout
from bench.data.cache.sizes import parse_size
from bench.errors import DataError
from bench.files.atomic import publish_folder
from bench.files.checksum import is_sealed
from bench.files.storage import saving
from bench.files.user_cache import user_cache

DEFAULT_LIMIT_BYTES = 100 * 10**9
"""Room for a set as large as LiTS's 131 training scans kept whole: up to 5.9·10⁴ slices of 512 × 512 voxels at six
bytes (float32 image, labels, region of interest) are 93 GB."""


@dataclass(frozen=True)
class CaseCache(Layout):
    """One cache. To fill an entry: take its `lock`, see that nobody else has meanwhile (`holds`), `start`, write, seal,
    `publish`, release. To read one: be `using` it, then `folder`."""

    limit_bytes: int

    @classmethod
    def of_user(cls) -> CaseCache:
        """The user's own, with the limit of `$IMBALANCE_BENCH_CACHE_LIMIT`.

        Raises:
            DataError: the variable holds no amount of data.
        """
        text = os.environ.get(LIMIT_VARIABLE)
        try:
            limit = parse_size(text) if text else DEFAULT_LIMIT_BYTES
        except ValueError as error:
            raise DataError(f"the environment variable {LIMIT_VARIABLE}: {error}") from error
        return cls(user_cache() / "cases", limit)

    def holds(self, identity: str) -> bool:
        """Whether an entry is published; says nothing of its content (see `verify_folder`)."""
        return is_sealed(self.folder(identity))

    def touch(self, identity: str) -> None:
        """Note that an entry is used now: it will be among the last to be evicted."""
        with suppress(FileNotFoundError):  # set aside as damaged at this very moment
            os.utime(self.folder(identity))

    def start(self, identity: str) -> Path:
        """An empty folder to fill; the caller holds the entry's lock. What a killed process left there is removed."""
        building = self.building(identity)
        with saving(building):
            if building.exists():
                shutil.rmtree(building)
            building.mkdir()
        return building

    def publish(self, identity: str) -> Path:
        """Make an entry visible that was filled and sealed in `building`; the first one wins.

        Everything is flushed to the disk first. Other entries are evicted as far as the limit demands.

        Raises:
            DataError: the entry is not sealed, or does not fit under the limit beside what is in use.
        """
        building, folder = self.building(identity), self.folder(identity)
        if not is_sealed(building):
            raise DataError(f"{building} has no seal: it is not complete and cannot be published")
        make_room(self, self.limit_bytes, identity)
        if folder.exists() and not is_sealed(folder):
            discard_unsealed(self, identity)
        publish_folder(building, folder)
        self.touch(identity)
        return folder

    def entries(self) -> tuple[Entry, ...]:
        """Everything that takes room, by identity."""
        return list_entries(self)

    def remove(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """Remove entries that were listed before, but for those in use by now; returns what was removed."""
        return remove(self, entries)
