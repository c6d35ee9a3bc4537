"""The records of a cell: one JSON for the cell, one CSV row per case and class, one per lesion and false positive."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from bench.errors import RunError
from bench.files.atomic import write_json, write_text
from bench.files.json_files import read_json

CELL_SCHEMA_VERSION = 1

Status = Literal["finished", "diverged", "out_of_memory", "failed", "died"]
"""How a cell ended. All but `finished` carry a reason and are results too: a table shows them."""

QUALITY = "quality.json"
"""Of a pre-training: how it ended, and how well its regressor gives back the maps of validation cases."""

BLOCKS = ("best", "last")
"""The checkpoint of best validation DC (the headline), and the last one."""


def write_cell(folder: Path, record: Mapping[str, Any]) -> None:
    """Write cell.json: identity, digests, outcome and provenance."""
    write_json(folder / "cell.json", {"schema_version": CELL_SCHEMA_VERSION, **record})


def read_cell(folder: Path) -> dict[str, Any]:
    """Read cell.json.

    Raises:
        RunError: it cannot be read, or does not say how the cell ended.
    """
    path = folder / "cell.json"
    try:
        record = read_json(path)
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({error}); remove {folder} and run the suite again") from error
    if not isinstance(record, dict) or not {"status", "reason"} <= record.keys():
        raise RunError(f"{path} does not say how the cell ended; remove {folder} and run the suite again")
    return record


def write_history(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Write the training and validation curve as JSON lines, replacing what was there."""
    write_text(path, "".join(json.dumps(record, sort_keys=True) + "\n" for record in records))
