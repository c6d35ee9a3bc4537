"""The folder of an export: nobody else's files in it, one writer at a time, and complete files are left alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from bench.errors import RunError
from bench.export.record import ExportRecord, InputFile, MaskRecord, short
from bench.files.atomic import sweep, write_bytes, write_json
from bench.files.checksum import sha256_file
from bench.files.lock import FileLock
from bench.files.storage import refuse_unwritable, saving

RECORD, LOCK = "export.json", ".export.lock"


class ExportFolder:
    """The output folder of one export; creating the object reads the record in it and writes nothing.

    Raises:
        RunError: the folder holds files of others, or another export.
    """

    def __init__(self, path: Path, record: ExportRecord) -> None:
        self.path = path
        self.record = record
        self._take_over()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder, keep other exports out of it, and write the record.

        Raises:
            RunError: another export is at work there.
            StorageError: nothing can be written there.
        """
        with saving(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        refuse_unwritable(self.path)
        lock = FileLock(self.path / LOCK)
        if not lock.acquire():
            raise RunError(f"another export (process {lock.holder()}) writes to {self.path}; wait for it to end")
        try:
            self._take_over()  # another export may have come to its end since
            sweep(self.path)
            self._write()
            yield
        finally:
            lock.release()

    def is_complete(self, output: str, volume: InputFile, liver: InputFile | None) -> bool:
        """Whether a file is there, as recorded.

        Args:
            volume: what it is to be made of.
            liver: likewise.

        Raises:
            RunError: it was made of other files or was changed since, so that writing it anew would lose something.
        """
        done, path = self.record.files.get(output), self.path / output
        if done is None or not path.is_file():
            return False
        for what, then, now in (("volume", done.volume, volume), ("liver mask", done.liver, liver)):
            if _checksum(then) != _checksum(now):
                raise RunError(
                    f"{path} was made of another {what} than the one that is there now (SHA-256 {short(then)} then, "
                    f"{short(now)} now); move it away to have it made anew, or give another folder with --out"
                )
        if sha256_file(path) != done.sha256:
            raise RunError(
                f"{path} was changed since it was exported; move it away to have it made anew, or give another folder "
                "with --out"
            )
        return True

    def write(self, output: str, content: bytes, made: MaskRecord) -> None:
        """Write a file, recorded first, so that one that is not in the record is never this program's.

        Raises:
            StorageError: the disk is full or refuses the file; nothing of it stays.
        """
        self.record = self.record.model_copy(update={"files": {**self.record.files, output: made}})
        self._write()
        write_bytes(self.path / output, content)

    def _write(self) -> None:
        write_json(self.path / RECORD, self.record.model_dump(mode="json"))

    def _take_over(self) -> None:
        """Go on from the record of the same export."""
        former = self._read()
        known = {RECORD, *former.files} if former else set[str]()
        names = sorted(item.name for item in self.path.iterdir()) if self.path.is_dir() else []
        foreign = [name for name in names if name not in known and not name.startswith(".")]
        if foreign:
            listed = ", ".join([*foreign[:3], *(["…"] if len(foreign) > 3 else [])])
            raise RunError(
                f"{self.path} holds {len(foreign)} files and folders that are not of this export ({listed}); give a "
                "new folder with --out"
            )
        if former is None:
            return
        if former.identity != self.record.identity:
            raise RunError(
                f"{self.path} holds another export ({former.words()}), not this one ({self.record.words()}); give "
                "another folder with --out"
            )
        self.record = self.record.model_copy(update={"files": former.files})

    def _read(self) -> ExportRecord | None:
        path = self.path / RECORD
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"{self.path} is a file, expected a folder for the masks; give another with --out")
        if not path.exists():
            return None
        try:
            return ExportRecord.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise RunError(
                f"{path} is no record of an export that this version reads ({_first(error)}); give another "
                "folder with --out"
            ) from error


def _checksum(source: InputFile | None) -> str | None:
    return None if source is None else source.sha256


def _first(error: OSError | ValidationError) -> str:
    """What is wrong, on one line."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    problem = error.errors()[0]
    return ": ".join(filter(None, [".".join(map(str, problem["loc"])), problem["msg"]]))
