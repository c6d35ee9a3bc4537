"""Where cells were computed: rows whose device class, CPU instructions or torch differ from the others say so."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from bench.results.load import FINISHED, PLANNED

_FACTS = {"device": "device", "torch": "torch", "cpu_capability": "CPU instructions"}


def environments(cells: pd.DataFrame) -> dict[str, str]:
    """The environment of every recorded cell by its id, in words."""
    recorded = cells[cells["status"] != PLANNED]
    return {str(cell["cell"]): _words(cell) for _, cell in recorded.iterrows()}


def usual_environment(cells: pd.DataFrame) -> str:
    """The environment of most finished cells, the first in plan order among equals; "" when nothing is finished."""
    known = environments(cells[cells["status"] == FINISHED])
    return Counter(known.values()).most_common(1)[0][0] if known else ""


def unusual(cells: pd.DataFrame, usual: str) -> tuple[str, ...]:
    """What to say of those finished cells of one row that were computed elsewhere than most of the table."""
    elsewhere = environments(cells[cells["status"] == FINISHED])
    places = {str(cell["cell"]): f"seed {cell['seed']}, fold {cell['fold']}" for _, cell in cells.iterrows()}
    return tuple(f"{places[cell]} was computed on {words}" for cell, words in elsewhere.items() if words != usual)


def _words(cell: pd.Series[Any]) -> str:
    return ", ".join(f"{label} {cell.get(f'provenance.{fact}', 'unknown')}" for fact, label in _FACTS.items())
