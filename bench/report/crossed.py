"""A paper's table whose rows are crossed with columns, laid out as the paper lays it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bench.report import numbers
from bench.report.beside import measured, printed
from bench.report.markdown import escape, table
from bench.report.reported import Reported, Side
from bench.suite.papers import MetricNotes

CROSSING = " / "
"""Between the two names of a row, such as `MNet+LR-Net+L_smoothL1 / NI-DM`."""
_ALONE = "–"
"""The column of rows that are crossed with nothing."""


def crossed_table(reported: Reported, metric: str, notes: MetricNotes) -> list[str]:
    """Lines of a table of one metric, two rows for each row of the paper: what it reports, and what was measured.

    Nothing where fewer than two rows of the paper are crossed with two columns. Of several methods that name the same
    row of the paper the first counts.
    """
    grid = _grid(reported)
    columns = list(dict.fromkeys(column for row in grid.values() for column in row))
    if sum(len(row) > 1 for row in grid.values()) < 2:
        return []
    header = ["Row of the paper", "", *columns]
    rows = [line for name, row in grid.items() for line in _lines(reported, metric, notes, name, columns, row)]
    return table([escape(cell) for cell in header], [[escape(cell) for cell in row] for row in rows], left=2)


def _grid(reported: Reported) -> dict[str, dict[str, Side]]:
    """The methods by row and column of the paper."""
    grid: dict[str, dict[str, Side]] = {}
    for side in reported.sides:
        row, _, column = side.paper_row.partition(CROSSING)
        grid.setdefault(row, {}).setdefault(column or _ALONE, side)
    return grid


def _lines(
    reported: Reported, metric: str, notes: MetricNotes, name: str, columns: list[str], row: Mapping[str, Side]
) -> Iterator[list[str]]:
    known = [row.get(column) for column in columns]
    nothing = numbers.NOTHING
    yield [name, "reported", *(nothing if side is None else printed(reported, side, metric) for side in known)]
    yield ["", "measured here", *(nothing if side is None else measured(side.row, notes) for side in known)]
