"""What the disk refuses, said in one place: which file, how many bytes it needs and how many are free, what to do."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import StorageError, VanishedError
from bench.files.names import TEMPORARY

PROBE_BYTES = 65_536
"""Free space without which not even a plan can be stored."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_ABOUT_ROOM = (*_FULL, errno.EFBIG, errno.EIO, None)
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


@contextmanager
def saving(path: Path, needed: int | None = None) -> Iterator[None]:
    """Turn what the operating system says about a failed write into a `StorageError`; put it around writing only.

    Args:
        path: the file or folder that is being written.
        needed: its size in bytes, where that is known beforehand.

    Raises:
        StorageError: in place of any `OSError`; `VanishedError` where the folder of `path` is gone.
        FileNotFoundError: the folder is there, so that something else is missing.
    """
    try:
        yield
    except OSError as error:
        if _is_absence(error) and path.parent.is_dir():
            raise
        kind = VanishedError if _is_absence(error) else StorageError
        raise kind(f"{explain(path, error, needed)}; {_remedy(error)}") from error


def explain(path: Path, error: OSError, needed: int | None = None) -> str:
    """`PATH cannot be written (cause)`; for a full disk with the bytes needed and free."""
    cause = error.strerror or str(error)
    if _is_absence(error):
        cause = f"there is no folder {path.parent}"
    elif error.errno in _ABOUT_ROOM:
        cause += f"; {_room(path, needed)}"
    return f"{path} cannot be written ({cause})"


def probe(folder: Path) -> None:
    """Write a little into a folder that exists, and take it away again.

    Raises:
        OSError: nothing can be written there.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(PROBE_BYTES))
        file.flush()


def refuse_unwritable(folder: Path) -> None:
    """`probe` as a question that is asked before any work.

    Raises:
        StorageError: nothing can be written there.
    """
    with saving(folder, PROBE_BYTES):
        probe(folder)


def make_folder(path: Path) -> Path:
    """Make a folder whose parent must be there, so that a run that was removed meanwhile does not rise again.

    Raises:
        StorageError: the parent is gone, or nothing can be written there.
    """
    with saving(path):
        path.mkdir(exist_ok=True)
    return path


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder into another, which may exist, without what killed writers left in it.

    Raises:
        StorageError: with the size of the whole.
    """
    files = (item for item in source.rglob("*") if item.is_file())
    needed = sum(item.stat().st_size for item in files if not item.name.startswith(TEMPORARY))
    with saving(target, needed):
        try:
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(f"{TEMPORARY}*"), dirs_exist_ok=True)
        except shutil.Error as error:  # one entry per file: (source, target, cause as text)
            raise OSError(_number(str(error)), str(error.args[0][0][2])) from error


def _number(text: str) -> int:
    """The error number in the text of an error, which is all that `shutil` keeps of it."""
    return next((number for number in (*_FULL, *_FORBIDDEN) if f"[Errno {number}]" in text), errno.EIO)


def _room(path: Path, needed: int | None) -> str:
    """Bytes needed and free, and whether the disk has run out of entries for files."""
    folder = next(Path(parent) for parent in (path, *path.absolute().parents) if os.path.isdir(parent))  # noqa: PTH112
    state = os.statvfs(folder)
    wanted = [] if needed is None else [f"{needed:,} bytes needed"]
    entries = ["no room for another file name"] if state.f_files and not state.f_favail else []
    return ", ".join([*wanted, f"{state.f_bavail * state.f_frsize:,} bytes free", *entries])


def _is_absence(error: OSError) -> bool:
    return isinstance(error, FileNotFoundError)


def _remedy(error: OSError) -> str:
    if error.errno in _FORBIDDEN:
        return "make it writable, or choose another folder (--out for a run, $IMBALANCE_BENCH_CACHE for the cache)"
    if _is_absence(error):
        return "somebody removed or unmounted it during the run: the same command starts anew"
    if error.errno in _ABOUT_ROOM:
        return "make room on that disk; the same command then goes on from what is stored"
    return "choose another folder or name"
