"""How much room a folder takes."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


def folder_bytes(folder: Path) -> int:
    """Bytes of all plain files below a folder, which others may be changing or removing; links are not followed."""
    total = 0
    for here, _, names in os.walk(folder):  # which bears with folders that vanish
        for name in names:
            with suppress(FileNotFoundError):
                status = Path(here, name).lstat()
                total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total
