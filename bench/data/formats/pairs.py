"""A CSV of image and label files: the shortest way to use one's own data."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

from bench.data.dataset import Dataset, Listing, accepted, with_files
from bench.data.formats import formats
from bench.data.settings import DatasetSettings
from bench.data.volume import Case, Volume
from bench.errors import DataError
from bench.settings import SuitePath
from losses.registry import nearest

COLUMNS = ("case", "patient", "image", "label")


class PairsSettings(DatasetSettings):
    """A CSV with the columns `image` and `label`, and optionally `case` and `patient`."""

    format: Literal["pairs"] = "pairs"
    csv: SuitePath
    root: SuitePath | None = None
    """Folder that the CSV's paths are relative to; default: the folder of the CSV."""


@formats.register("pairs")
class PairsDataset(Dataset[PairsSettings]):
    """One case per line. `case` defaults to the name of the image without suffix, `patient` to the case."""

    settings_type = PairsSettings
    plain_files = True

    def absence(self) -> str | None:
        return None if self.settings.csv.is_file() else f"there is no file {self.settings.csv}"

    def cases(self) -> tuple[Case, ...]:
        return accepted(self.listing(), self.settings.csv, self.settings.on_bad_case)

    def listing(self) -> Listing:
        return with_files([self._case(line, row) for line, row in _rows(self.settings.csv)])

    def read(self, case: Case) -> Volume:
        from bench.data.reading import read_volume

        return read_volume(case.id, case.files[:1], case.files[1])

    def _case(self, line: int, row: dict[str, str]) -> Case:
        for column in ("image", "label"):
            if not row.get(column):
                raise DataError(f"{self.settings.csv}:{line}: no {column}; expected the path of a file")
        folder = self.settings.root or self.settings.csv.parent
        files = (folder / row["image"], folder / row["label"])
        name = row.get("case") or stem(files[0])
        return Case(name, row.get("patient") or name, files)


def stem(path: Path) -> str:
    """File name without its suffix, where `.nii.gz` is one suffix."""
    return path.stem.removesuffix(".nii") if path.suffix == ".gz" else path.stem


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Line number and stripped fields of every line that is not blank."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    columns = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    for needed in ("image", "label"):
        if needed not in columns:
            raise DataError(f"{path}:1: no column {needed!r}; found {', '.join(columns) or 'none'}")
    for column in columns:
        if column not in COLUMNS:
            raise DataError(
                f"{path}:1: unknown column {column!r}.{nearest(column, COLUMNS)} Allowed: {', '.join(COLUMNS)}"
            )
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise DataError(f"{path}:{reader.line_num}: expected {len(columns)} fields ({', '.join(columns)})")
        fields = {column: value.strip() for column, value in row.items()}
        if any(fields.values()):
            rows.append((reader.line_num, fields))
    return rows
