"""One cell of a table that has a paper's value and ours: how each of the two is written."""

from __future__ import annotations

from bench.report import numbers
from bench.report.footnotes import words
from bench.report.reported import Reported, Side
from bench.results.aggregates import Row
from bench.results.quantities import quantity
from bench.suite.papers import MetricNotes


def printed(reported: Reported, side: Side, metric: str) -> str:
    """The digits of the paper, with what must be said of every single one of them."""
    if metric not in side.reported:
        return numbers.NOTHING
    value = side.reported[metric].value
    return value if reported.same_data else f"{value} ({reported.data})"


def measured(row: Row, notes: MetricNotes) -> str:
    """Mean ± standard deviation over cases, or how the row's cells ended."""
    if notes.here is None:
        return numbers.NOTHING
    if not row.values:
        return words(row.state)
    return numbers.mean_and_sd(row.values[notes.here], quantity(notes.here), row.cases)
