"""Room on the disk, asked for before anything is written."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from bench.errors import StorageError
from bench.files.storage import explain
from bench.files.user_cache import VARIABLE


def check_space(folder: Path, needed: int) -> None:
    """See that the file system of a folder, which must exist, has room for so many bytes.

    Raises:
        StorageError: it has not.
    """
    if shutil.disk_usage(folder).free < needed:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise StorageError(
            f"{explain(folder, full, needed)}; make room on that disk, for one with `python -m bench cache clean`, or "
            f"name a folder on another disk in ${VARIABLE}"
        )
