"""Write files and folders so that a reader sees the old content or the new one, never a part.

Every write goes to a temporary name in the same folder, is flushed to the disk and renamed. A save that failed stops
the work that relied on it, as a `StorageError` (see `bench.files.storage`).
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.errors import StorageError
from bench.files.names import SEAL, TEMPORARY
from bench.files.storage import saving


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data` atomically and durably; the folder must exist."""
    with replacing(path, len(data)) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` (UTF-8, newlines as given) atomically and durably."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by JSON with sorted keys, so that equal values give equal bytes; NaN is refused."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n")


@contextmanager
def replacing(path: Path, needed: int | None = None) -> Iterator[Path]:
    """Give a temporary path with the suffixes of `path`; on leaving without an error it is flushed and takes its place.

    For writers that insist on a file name (NIfTI, PNG, torch). On an error the temporary file is removed.

    Args:
        needed: size of the file in bytes, for the message should there be no room for it.

    Raises:
        StorageError: the operating system refused the write, inside the block or behind it.
    """
    # The end of the name keeps the suffixes; 40 characters stay below the 255 bytes of a file name in any script.
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(6)}-{path.name[-40:]}")
    with saving(path, needed):
        try:
            yield temporary
            flush(temporary)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        flush(path.parent)


def flush(path: Path) -> None:
    """fsync a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish_folder(working: Path, final: Path) -> bool:
    """Make a finished folder visible under its final name; the first publisher wins.

    All files are flushed first. Returns False, and removes `working`, when `final` was published, sealed, already. The
    rename fails on a non-empty target, so two publishers can never mix their files.

    The folder that `final` lies in is made when only that one is missing.

    Raises:
        StorageError: no room, or the rename failed for another reason, such as a file or a folder without a seal in the
            place of `final`; `working` stays.
    """
    with saving(final):
        for item in sorted(working.rglob("*")):
            flush(item)
        flush(working)
        final.parent.mkdir(exist_ok=True)
        try:
            working.rename(final)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            if not (final / SEAL).is_file():
                raise StorageError(
                    f"{final} cannot be written (a folder without {SEAL}, so not a published one, is in its place); "
                    f"remove or rename that one: what was to be published stays in {working}"
                ) from error
            shutil.rmtree(working)
            return False
        flush(final.parent)
    return True


def sweep(folder: Path) -> int:
    """Remove what killed writers left in `folder` (temporary names only, not in subfolders); returns how many.

    Several processes may do so at once.
    """
    leftovers = [item for item in folder.iterdir() if item.name.startswith(TEMPORARY)] if folder.is_dir() else []
    for item in leftovers:
        if item.is_dir() and not item.is_symlink():
            remove_folder(item)
        else:
            item.unlink(missing_ok=True)
    return len(leftovers)


def remove_folder(folder: Path) -> None:
    """Remove a folder that other processes may be removing too."""
    while folder.exists():
        with suppress(FileNotFoundError):  # another one was faster with one of its files
            shutil.rmtree(folder)
