"""The user's cache folder: things that are expensive to find out again and cost nothing but time when lost."""

from __future__ import annotations

import os
from pathlib import Path

from bench.files.storage import saving

VARIABLE = "IMBALANCE_BENCH_CACHE"


def user_cache() -> Path:
    """`$IMBALANCE_BENCH_CACHE`, else `imbalance-bench` in `$XDG_CACHE_HOME` or `~/.cache`; made when missing.

    Raises:
        StorageError: it cannot be made.
    """
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(os.environ.get(VARIABLE) or Path(base) / "imbalance-bench")
    with saving(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder
