"""A lock that the kernel releases when its holder dies, however it dies (`flock`)."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from bench.files.storage import make_folder, saving


class FileLock:
    """An exclusive, advisory, non-blocking lock on a file.

    The kernel drops it with the process, so there are no stale locks on one machine. The file itself stays, because
    removing it would let two processes lock two different files of the same name. Its text names the holder's pid.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False when another process, or another `FileLock` of this one, holds it.

        The folder of the file is made when only that one is missing.

        Raises:
            StorageError: nothing can be written there; `VanishedError` when the folder of its folder is gone.
        """
        make_folder(self.path.parent)
        holder = f"{os.getpid()}\n".encode()
        with saving(self.path, len(holder)):
            return self._acquire(holder)

    def _acquire(self, holder: bytes) -> bool:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            while not _locked(descriptor, fcntl.LOCK_EX):
                if not _locked(descriptor, fcntl.LOCK_SH):
                    os.close(descriptor)
                    return False
                # Only somebody in `is_held` was in the way.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                time.sleep(0.001)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, holder)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def is_held(self) -> bool:
        """Whether the lock is held now, by whomever; never keeps anybody from acquiring it."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return not _locked(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def holder(self) -> int | None:
        """The pid written by the present or last holder, if any."""
        try:
            return int(self.path.read_text() or "0") or None
        except (FileNotFoundError, ValueError):
            return None

    def __enter__(self) -> FileLock:
        if not self.acquire():
            raise BlockingIOError(f"{self.path} is locked by process {self.holder()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


def _locked(descriptor: int, kind: int) -> bool:
    """Try to take a lock of a kind, without waiting."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
