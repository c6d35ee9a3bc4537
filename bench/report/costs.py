"""tables/costs.md and costs.csv: what the cells took. Never in a file with scores, because times are never the same."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from statistics import median
from typing import Any

import pandas as pd

from bench.report.markdown import escape, table
from bench.report.notes import profile
from bench.report.numbers import NOTHING
from bench.results.load import PLANNED, Run

_TIME = "timing.seconds_"
_FACTS = ("provenance.device_name", "provenance.torch", "provenance.commit", "provenance.finished_at")

_WARNING = (
    "Medians over the cells of a row that have a time. These are wall times of cells that shared their machine with "
    "others and may have been interrupted: they tell where a number came from and are no measurement of what a loss "
    "costs. For that, time each method alone, on a fixed batch."
)


def costs_page(run: Run) -> str:
    """One row per method."""
    times = _times(run)
    header = ["Method", "cells", "parameters", "steps", *(_heading(name) for name in times), "device"]
    rows = []
    for method, cells in _by_method(run):
        timed = [_seconds(cells, name) for name in times]
        numbers = [_common(cells, "parameters"), _common(cells, "steps")]
        cells_text = f"{(cells['status'] != PLANNED).sum()}/{len(cells)}"
        rows.append([run.methods[method], cells_text, *numbers, *timed, _common(cells, "provenance.device_name")])
    lines = table(header, [[escape(cell) for cell in row] for row in rows])
    title = f"# {escape(run.suite['title'])}: what it took"
    return "\n".join([title, "", escape(profile(run)), "", *lines, "", _WARNING]) + "\n"


def costs_csv(run: Run) -> str:
    """One line per recorded cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    columns = ("method", "label", "seed", "fold", "cell", "status", "parameters", "steps", *_times(run), *_FACTS)
    writer.writerow(column.rpartition(".")[2] for column in columns)
    for _, cell in run.cells[run.cells["status"] != PLANNED].iterrows():
        writer.writerow(_plain(cell.get(column, "")) for column in columns)
    return buffer.getvalue()


def _times(run: Run) -> list[str]:
    """Every time that any cell recorded."""
    return [str(column) for column in run.cells.columns if str(column).startswith(_TIME)]


def _heading(column: str) -> str:
    """`s per step` for `timing.seconds_per_step`."""
    return f"s {column.removeprefix(_TIME)}".replace("_", " ")


def _by_method(run: Run) -> Iterator[tuple[str, pd.DataFrame]]:
    for method in run.methods:
        yield method, run.cells[run.cells["method"] == method]


def _seconds(cells: pd.DataFrame, column: str) -> str:
    known = _known(cells, column)
    return f"{median(known):.3g}" if known else NOTHING


def _common(cells: pd.DataFrame, column: str) -> str:
    """The one value of all recorded cells, or all of them."""
    return " / ".join(dict.fromkeys(_plain(value) for value in _known(cells, column))) or NOTHING


def _known(cells: pd.DataFrame, column: str) -> list[Any]:
    return [] if column not in cells else list(cells[column].dropna())


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.0f}" if value.is_integer() else repr(value)
    return str(value)
