"""Lists of files as CSV: which columns there are, and what every line says."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from bench.errors import DataError
from losses.registry import nearest


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
