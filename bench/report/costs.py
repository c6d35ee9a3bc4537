"""tables/costs.md and costs.csv: what methods cost, where that was measured, and what the cells took.

Never in a file with scores, because times are never the same.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from statistics import median
from typing import Any

import pandas as pd

from bench.report.markdown import escape, table
from bench.report.measured_costs import cost_lines
from bench.report.notes import profile
from bench.report.numbers import NOTHING
from bench.results.costs import FILE, read_costs, setup_of
from bench.results.load import PLANNED, Run

_TIME = "timing.seconds_"
_FACTS = ("provenance.device_name", "provenance.torch", "provenance.commit", "provenance.finished_at")

_ORDER = ("per_step", "per_validated_case", "per_scored_case")
"""Times that come first, in the order in which a cell spends them."""

_WARNING = (
    "The wall times on this page are provenance: they say how the scores of this run came about, not what a loss "
    "costs. Cells share their machine with others and may have been interrupted and resumed."
)
_COMMAND = "`python -m bench cost SUITE` measures each method alone, on a fixed batch"
_COLUMNS = (
    "Times are in seconds (s), the median over the cells of a row that have recorded one: per training step, per case "
    "of a full-volume validation, and per test case (segmenting and scoring). Cells: finished or ended early / "
    "planned. Parameters: trained weights of the network; steps: training steps of a cell. Every cell by itself, with "
    "versions and date, is in costs.csv."
)


def costs_page(run: Run) -> str:
    """One row per method."""
    times = _times(run)
    header = ["Method", "cells", "parameters", "training steps", *(_heading(name) for name in times), "device"]
    rows = []
    for method, cells in _by_method(run):
        timed = [_seconds(cells, name) for name in times]
        numbers = [_common(cells, "parameters"), _common(cells, "steps")]
        cells_text = f"{(cells['status'] != PLANNED).sum()}/{len(cells)}"
        rows.append([run.methods[method], cells_text, *numbers, *timed, _common(cells, "provenance.device_name")])
    lines = table(header, [[escape(cell) for cell in row] for row in rows])
    title = f"# {escape(run.suite['title'])}: what it took"
    wall = [f"{escape(profile(run))} {_WARNING}", "", *lines, "", _COLUMNS]
    return "\n".join([title, "", *_measured(run), "", "## Wall times of this run", "", *wall]) + "\n"


def _measured(run: Run) -> list[str]:
    """The costs that were measured for this run, or how to measure them."""
    record = read_costs(run.directory.path)
    lines = ["## Measured costs", ""]
    if record is None:
        return [*lines, f"Not measured yet: {_COMMAND}, and writes into this run directory."]
    now = setup_of(run.suite)
    changed = sorted(key for key in now if now[key] != record.setup.get(key))
    if changed:
        keys = ", ".join(f"`{key}`" for key in changed)
        return [*lines, f"The measurement in {FILE} is of other settings ({keys}) and not shown: {_COMMAND}."]
    present = {method["id"]: (method["loss"], method.get("regressor")) for method in run.suite["methods"]}
    fits = [method.id for method in record.methods if present.get(method.id) == (method.loss, method.regressor)]
    lacking = [escape(method) for method in present if method not in fits]
    rest = [f"Not measured as it is now: {', '.join(lacking)}. {_COMMAND}.", ""] if lacking else []
    return [*lines, *rest, *cost_lines(record, fits)]


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
    found = [str(column) for column in run.cells.columns if str(column).startswith(_TIME)]
    first = [_TIME + name for name in _ORDER if _TIME + name in found]
    return first + [column for column in found if column not in first]


def _heading(column: str) -> str:
    """`per step (s)` for `timing.seconds_per_step`."""
    return f"{column.removeprefix(_TIME)} (s)".replace("_", " ")


def _by_method(run: Run) -> Iterator[tuple[str, pd.DataFrame]]:
    for method in run.methods:
        yield method, run.cells[run.cells["method"] == method]


def _seconds(cells: pd.DataFrame, column: str) -> str:
    known = _known(cells, column)
    if not known:
        return NOTHING
    middle = median(known)
    return f"{middle:.0f}" if middle >= 100 else f"{middle:#.3g}"


def _common(cells: pd.DataFrame, column: str) -> str:
    """The one value of all recorded cells, or all of them."""
    return " / ".join(dict.fromkeys(_plain(value) for value in _known(cells, column))) or NOTHING


def _known(cells: pd.DataFrame, column: str) -> list[Any]:
    return [] if column not in cells else list(cells[column].dropna())


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.0f}" if value.is_integer() else repr(value)
    return str(value)
