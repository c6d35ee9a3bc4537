"""The user's cache folder: things that are expensive to find out again and cost nothing but time when lost."""

from __future__ import annotations

import os
from pathlib import Path

from bench.errors import StorageError

VARIABLE = "IMBALANCE_BENCH_CACHE"


def user_cache() -> Path:
    """`$IMBALANCE_BENCH_CACHE`, else `imbalance-bench` in `$XDG_CACHE_HOME` or `~/.cache`; made when missing.

    Raises:
        StorageError: it cannot be made.
    """
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(os.environ.get(VARIABLE) or Path(base) / "imbalance-bench")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"the cache {folder} cannot be made ({error.strerror}); name another folder in ${VARIABLE}"
        ) from error
    return folder
