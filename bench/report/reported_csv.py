"""tables/reported.csv: one line per method and metric of a paper's table.

Columns:
    profile          profile of the suite; empty where the suite has none.
    method, label    id of the method, and its name in the tables.
    state            as in scores.csv.
    paper, table, paper_dataset, paper_cases, paper_row, paper_metric
                     where the reported number is printed.
    reported         the number with the digits of the paper.
    data             `other data` or `same data`: whether the measured data set is the paper's own.
    metric           the metric of this project beside it; empty where there is none.
    unit, better     of that metric.
    dataset          `main`, or the key of `evaluate_on`.
    measured         mean over the cases with target, checkpoint of best validation DC; `sd` over cases, `n` cases.
    comparable       yes or no: whether both are defined alike; `reason` says why.
    notes            what is known of the row of the paper, and of the cells.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator

from bench.errors import SuiteError
from bench.report.footnotes import remarks
from bench.report.markdown import plain
from bench.report.reported import Reported, Side, reported_beside
from bench.results.load import Run
from bench.results.quantities import quantity
from bench.results.values import Value
from bench.suite.papers import Entry, MetricNotes

COLUMNS = (
    *("profile", "method", "label", "state", "paper", "table", "paper_dataset", "paper_cases", "paper_row"),
    *("paper_metric", "reported", "data", "metric", "unit", "better", "dataset", "measured", "sd", "n"),
    *("comparable", "reason", "notes"),
)


def reported_csv(run: Run) -> str | None:
    """CSV text, None for a suite that names no paper; only the columns where the paper's numbers are not here.

    Raises:
        RunError: cells of different methods were not treated equally.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    try:
        found = reported_beside(run)
    except SuiteError:
        return buffer.getvalue()
    if not found:
        return None
    for reported in found:
        writer.writerows(_lines(run, reported))
    return buffer.getvalue()


def _lines(run: Run, reported: Reported) -> Iterator[tuple[str, ...]]:
    for side in reported.sides:
        for metric, notes in reported.metrics.items():
            if metric in side.reported:
                yield (run.description["profile"] or "", *_line(reported, side, side.reported[metric], notes))


def _line(reported: Reported, side: Side, entry: Entry, notes: MetricNotes) -> tuple[str, ...]:
    row = side.row
    key = notes.here
    value = row.values.get(key, Value(math.nan)) if key else Value(math.nan)
    about = (key, quantity(key).unit, quantity(key).better) if key else ("", "", "")
    return (
        *(row.method, row.label, row.state),
        *(reported.paper.name, entry.table, entry.dataset, entry.cases, entry.row, entry.metric, entry.value),
        reported.data,
        *about,
        reported.view.dataset,
        *(_text(value.mean), _text(value.sd), str(value.n)),
        *("yes" if notes.comparable else "no", notes.reason, plain("; ".join(remarks(row)))),
    )


def _text(value: float) -> str:
    return "" if math.isnan(value) else repr(value)
