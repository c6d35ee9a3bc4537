"""Room on the disk, asked for before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.data.cache.sizes import as_text
from bench.errors import DataError
from bench.files.user_cache import VARIABLE


def check_space(folder: Path, needed: int) -> None:
    """See that the file system of a folder, which must exist, has room for so many bytes.

    Raises:
        DataError: it has not.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DataError(
            f"{folder}: {as_text(needed)} ({needed} bytes) are to be written, but its file system has {as_text(free)} "
            f"left; make room there (`python -m bench cache clean`), or name a folder on another disk in {VARIABLE}"
        )
