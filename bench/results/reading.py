"""Reading published records: every file is compared with its checksum, every field with its column."""

from __future__ import annotations

import csv
import io
import math
import stat
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from bench.errors import RunError
from bench.files.checksum import SEAL, sha256_bytes
from bench.files.json_files import MAX_BYTES, parse_json, read_json
from bench.files.names import is_plain
from bench.results.records import CELL_SCHEMA_VERSION, Status

TEXT = ("dataset", "block", "case", "patient", "class", "kind")
"""Columns of the CSV records that stay text, so that case `007` is not 7; all others are numbers."""

PATHS = ("dataset", "block", "case")
"""Columns of those that also name files: a value that leads out of a folder is refused."""

_TRUTH = {"": math.nan, "True": 1.0, "False": 0.0}


class SealedFiles:
    """The files of one published folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self._sums: dict[str, str] = dict(read_json(folder / SEAL)["sha256"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"{folder / SEAL} cannot be read ({error}); remove the folder and run the suite again"
            ) from error

    def cell(self) -> dict[str, Any]:
        """cell.json, of a schema and with a status that this version knows."""
        record = self.json("cell.json")
        if record.get("schema_version") != CELL_SCHEMA_VERSION:
            raise RunError(
                f"{self.folder / 'cell.json'} has schema_version {record.get('schema_version')}, this version reads "
                f"{CELL_SCHEMA_VERSION}; use the version that wrote it"
            )
        if record.get("status") not in get_args(Status):
            raise RunError(
                f"{self.folder / 'cell.json'} has status {record.get('status')!r}, "
                f"expected one of {', '.join(get_args(Status))}"
            )
        return record

    def json(self, name: str) -> dict[str, Any]:
        """A JSON file."""
        return self._parsed(self._text(name), name)

    def rows(self, name: str, required: Sequence[str]) -> list[dict[str, Any]]:
        """A CSV file as one dict per line; empty fields of number columns are NaN."""
        reader = csv.reader(io.StringIO(self._text(name), newline=""))
        columns = next(reader, [])
        lacking = [column for column in required if column not in columns]
        if lacking:
            raise RunError(f"{self.folder / name} lacks the columns {', '.join(lacking)}; it was not written whole")
        return [self._row(name, reader.line_num, columns, fields) for fields in reader]

    def history(self) -> list[dict[str, Any]]:
        """history.jsonl, one dict per line; empty when the cell ended before it was written."""
        name = "history.jsonl"
        if name not in self._sums:
            return []
        return [self._parsed(line, f"{name}:{number}") for number, line in enumerate(self._text(name).splitlines(), 1)]

    def _row(self, name: str, line: int, columns: list[str], fields: list[str]) -> dict[str, Any]:
        if len(fields) != len(columns):
            raise self._refusal(name, line, f" has {len(fields)} fields, expected {len(columns)}")
        row: dict[str, Any] = {}
        for column, field in zip(columns, fields, strict=True):
            try:
                row[column] = field if column in TEXT else _TRUTH[field] if field in _TRUTH else float(field)
            except ValueError as error:
                raise self._refusal(name, line, f": {column} is {field!r}, expected a number or nothing") from error
            if column in PATHS and not _names_a_file(field):
                raise self._refusal(
                    name, line, f": {column} is {field!r}, which cannot name a file; remove {self.folder}"
                )
        return row

    def _refusal(self, name: str, line: int, says: str) -> RunError:
        return RunError(f"{self.folder / name}:{line}{says}")

    def _text(self, name: str) -> str:
        path = self.folder / name
        try:
            _refuse_no_record(path)
            data = path.read_bytes()
        except OSError as error:
            raise RunError(
                f"{path} cannot be read ({error.strerror}); remove {self.folder} and run the suite again"
            ) from error
        if sha256_bytes(data) != self._sums.get(name):
            raise RunError(f"{path} was altered since it was sealed; remove {self.folder} and run the suite again")
        return data.decode("utf-8")

    def _parsed(self, text: str, place: str) -> dict[str, Any]:
        try:
            value = parse_json(text)
        except ValueError as error:
            raise RunError(f"{self.folder / place} is not JSON ({error})") from error
        if not isinstance(value, dict):
            raise RunError(f"{self.folder / place} holds {type(value).__name__}, expected an object")
        return value


_names_a_file = lru_cache(maxsize=10_000)(is_plain)
"""A noisy method has a hundred thousand false positives in a few dozen cases."""


def _refuse_no_record(path: Path) -> None:
    """A link, a device or a giant is nothing that this program wrote, whatever the seal says of it."""
    state = path.lstat()
    if not stat.S_ISREG(state.st_mode):
        raise RunError(f"{path} is no plain file, as all records of this program are; remove {path.parent}")
    if state.st_size > MAX_BYTES:
        raise RunError(f"{path} has {state.st_size:,} bytes, far above any record; remove {path.parent}")
