"""Where cells were computed: rows whose device class, CPU instructions or torch differ from the others say so."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from bench.results.load import FINISHED, PLANNED
from bench.results.provenance import FACTS, environment_words


def environments(cells: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """The environments that every recorded cell went through, by its id, in words; nearly always one."""
    recorded = cells[cells["status"] != PLANNED]
    return {str(cell["cell"]): _passed_through(cell) for _, cell in recorded.iterrows()}


def usual_environment(cells: pd.DataFrame) -> str:
    """The environment in which most finished cells ended, the first in plan order among equals; "" without any."""
    known = environments(cells[cells["status"] == FINISHED])
    return Counter(words[-1] for words in known.values()).most_common(1)[0][0] if known else ""


def unusual(cells: pd.DataFrame, usual: str) -> tuple[str, ...]:
    """What to say of the finished cells of one row that were computed elsewhere than most, or than the run began."""
    finished = cells[cells["status"] == FINISHED]
    passed = environments(finished)
    places = {str(cell["cell"]): cell for _, cell in finished.iterrows()}
    remarks = {cell: _remark(words, _started_in(places[cell]), usual) for cell, words in passed.items()}
    return tuple(
        f"seed {places[cell]['seed']}, fold {places[cell]['fold']} {remark}"
        for cell, remark in remarks.items()
        if remark
    )


def _remark(passed: tuple[str, ...], started: str, usual: str) -> str:
    first, last = passed[0], passed[-1]
    if len(passed) > 1:
        return f"was begun on {first} and continued on {' and on '.join(passed[1:])}"
    if started and started != last:
        return f"was computed on {last}, in a run that was started on {started}"
    return "" if last == usual else f"was computed on {last}; most cells were computed on {usual}"


def _passed_through(cell: pd.Series[Any]) -> tuple[str, ...]:
    noted = cell.get("environments")
    if isinstance(noted, list) and noted:
        return tuple(environment_words(one) for one in noted)
    return (_words(cell, "provenance"),)


def _started_in(cell: pd.Series[Any]) -> str:
    """The environment that the cell's run was started in; "" where the record does not say."""
    known = all(isinstance(cell.get(f"started_in.{fact}"), str) for fact in FACTS)
    return _words(cell, "started_in") if known else ""


def _words(cell: pd.Series[Any], place: str) -> str:
    return environment_words({fact: cell.get(f"{place}.{fact}", "unknown") for fact in FACTS})
