"""Data sets that are lists of files in a CSV: which columns there are, and what every line says."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from typing_extensions import TypeVar

from bench.data.dataset import Dataset, Listing, accepted, with_files
from bench.data.settings import DatasetSettings
from bench.data.volume import Case
from bench.errors import DataError
from bench.settings import SuitePath
from losses.registry import nearest


class ListSettings(DatasetSettings):
    """A CSV with one case per line."""

    csv: SuitePath
    root: SuitePath | None = None
    """Folder that the CSV's paths are relative to; default: the folder of the CSV."""


S = TypeVar("S", bound=ListSettings)


class FileList(Dataset[S]):
    """One case per line. `case` defaults to the name of the first file without suffix, `patient` to the case."""

    plain_files = True
    columns: ClassVar[tuple[str, ...]]
    """The columns with the files of a case, in the order of `Case.files`."""

    def absence(self) -> str | None:
        return None if self.settings.csv.is_file() else f"there is no file {self.settings.csv}"

    def cases(self) -> tuple[Case, ...]:
        return accepted(self.listing(), self.settings.csv, self.settings.on_bad_case)

    def listing(self) -> Listing:
        return with_files([self._case(row) for row in listed_rows(self.settings.csv, self.columns)])

    def _case(self, row: dict[str, str]) -> Case:
        folder = self.settings.root or self.settings.csv.parent
        files = tuple(folder / row[column] for column in self.columns)
        name = row.get("case") or stem(files[0])
        return Case(name, row.get("patient") or name, files)


def stem(path: Path) -> str:
    """File name without its suffix, where `.nii.gz` is one suffix."""
    return path.stem.removesuffix(".nii") if path.suffix == ".gz" else path.stem


def listed_rows(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """The stripped fields of every line that is not blank, by column.

    Args:
        needed: the columns in which every line must name a file; `case` and `patient` may be there too.

    Raises:
        DataError: with path and line, for a file, column or field that is missing, or a column that is unknown.
    """
    allowed = ("case", "patient", *needed)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    columns = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    for name in needed:
        if name not in columns:
            raise DataError(f"{path}:1: no column {name!r}; found {', '.join(columns) or 'none'}")
    for column in columns:
        if column not in allowed:
            known = ", ".join(allowed)
            raise DataError(f"{path}:1: unknown column {column!r}.{nearest(column, allowed)} Allowed: {known}")
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise DataError(f"{path}:{reader.line_num}: expected {len(columns)} fields ({', '.join(columns)})")
        fields = {column: value.strip() for column, value in row.items()}
        if not any(fields.values()):
            continue
        missing = next((column for column in needed if not fields[column]), None)
        if missing is not None:
            raise DataError(f"{path}:{reader.line_num}: no {missing}; expected the path of a file")
        rows.append(fields)
    return rows
