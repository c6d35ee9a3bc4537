"""Checksums of source files, remembered so that a set of many gigabytes is read once and not at every start."""

from __future__ import annotations

from pathlib import Path

from bench.errors import DataError
from bench.files.atomic import write_json
from bench.files.checksum import sha256_file
from bench.files.json_files import read_json
from bench.files.storage import saving
from bench.files.user_cache import user_cache

VERSION = 1


class FingerprintMemory:
    """SHA-256 of files by (absolute path, size, modification time), kept in one JSON file.

    A memory that is damaged, or that another process has overwritten, costs reading the files again and nothing else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known = self._load()
        self._added: dict[str, str] = {}

    @classmethod
    def of_user(cls) -> FingerprintMemory:
        """The one that all runs of the user share."""
        return cls(user_cache() / "fingerprints.json")

    def recall(self, path: Path) -> str | None:
        """The remembered checksum, or None when the file is new, changed or missing. Reads no content."""
        try:
            return self._known.get(_key(path))
        except OSError:
            return None

    def knows(self, path: Path) -> bool:
        """Whether `checksum` can answer without reading the file."""
        return self.recall(path) is not None

    def checksum(self, path: Path) -> str:
        """The remembered checksum, or a new one; call `save` to keep it.

        Raises:
            DataError: the file cannot be read.
        """
        return self.recall(path) or self._remember(path)

    def verify(self, path: Path) -> str:
        """Read the file again and compare it with what is remembered; a file that is new is remembered.

        Raises:
            DataError: the content changed although size and time did not, or the file cannot be read.
        """
        before = self.recall(path)
        now = self._remember(path)
        if before is not None and before != now:
            raise DataError(
                f"{path}: the content changed although size and time did not (SHA-256 {before[:12]}… before, "
                f"{now[:12]}… now); results made of it would mix two versions: find out which is right and start again"
            )
        return now

    def save(self) -> None:
        """Write what was learnt to the file, together with what other processes wrote there meanwhile.

        Raises:
            StorageError: it cannot be written.
        """
        if not self._added:
            return
        self._known = {**self._load(), **self._known, **self._added}
        with saving(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.path, {"version": VERSION, "sha256": self._known})
        self._added = {}

    def _remember(self, path: Path) -> str:
        try:
            key = _key(path)
            value = sha256_file(path)
            changed = _key(path) != key
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
        if changed:
            raise DataError(f"{path}: was written to while it was read; start again when it is complete")
        self._known[key] = self._added[key] = value
        return value

    def _load(self) -> dict[str, str]:
        try:
            content = read_json(self.path)
            return dict(content["sha256"]) if content["version"] == VERSION else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def _key(path: Path) -> str:
    state = path.stat()
    return f"{path.absolute()}|{state.st_size}|{state.st_mtime_ns}"
