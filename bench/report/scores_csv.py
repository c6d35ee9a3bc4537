"""tables/scores.csv: every aggregate in long form, one line per data set, class, block, group, method and metric.

Columns:
    profile           profile of the suite; empty where the suite has none.
    dataset           `main`, or the key of `evaluate_on`.
    class             target class; `*` for the mean over the classes.
    block             `best` or `last` checkpoint.
    group             cases that are averaged: with_target (the headline), lesions, without_target, all.
    method, label     id of the method, and its name in the tables.
    state             `complete`, `partial` (some cells are not finished), or how the cells ended, then without metric.
    metric            full name of the quantity, with its unit: dice, hausdorff95_mm, recall_small_lesions, …
    unit              mm, mm³, or empty for a number without unit.
    better            higher, lower, closest_to_zero.
    mean              over units (cases; lesions for recall; classes for `*`), each averaged over its seeds first; for
                      dice_global over seeds.
    sd                sample standard deviation over the units.
    sd_of_seed_means  sample standard deviation over the means of complete seeds.
    n                 units that have a value.
    scores            records (unit × cell) that have a value.
    undefined         records that have none, such as a relative volume difference without reference.
    total             sum over these records; of a recall, the lesions found.
    median, median_n  over single records, and how many: for distances those whose masks are both not empty.
    cases, patients   scored test cases of the group, and of how many patients they are.
    cells_…, seeds_…, folds_finished and _planned
                      what the numbers cover, and what the plan asks for.
    missing_scores    planned cells × test cases of the data set, of all groups, without a record.
    reason            why cells ended without scores.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bench.report.markdown import plain
from bench.results.aggregates import Row, Table, Trouble
from bench.results.load import Run
from bench.results.quantities import quantity
from bench.results.values import Value

ALL_CLASSES = "*"
"""In the column `class`: the mean over the classes; `n` is then the number of classes that have a value."""


@dataclass(frozen=True)
class _Line:
    run: Run
    table: Table
    row: Row
    key: str
    value: Value


def scores_csv(run: Run, tables: Iterable[Table]) -> str:
    """CSV text; floats with all their digits, an empty field where there is no value.

    A method without a finished cell has one line per table, with its status and reason and no metric.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for line in _lines(run, tables):
        writer.writerow(_text(get(line)) for get in _COLUMNS.values())
    return buffer.getvalue()


def _lines(run: Run, tables: Iterable[Table]) -> Iterator[_Line]:
    for table in tables:
        for row in table.rows:
            for key, value in row.values.items() or [("", Value(math.nan))]:
                yield _Line(run, table, row, key, value)


_COLUMNS: dict[str, Callable[[_Line], str | float]] = {
    "profile": lambda line: line.run.description["profile"] or "",
    "dataset": lambda line: line.table.view.dataset,
    "class": lambda line: line.table.view.target or ALL_CLASSES,
    "block": lambda line: line.table.view.block,
    "group": lambda line: line.table.view.group,
    "method": lambda line: line.row.method,
    "label": lambda line: line.row.label,
    "state": lambda line: line.row.state,
    "metric": lambda line: line.key,
    "unit": lambda line: quantity(line.key).unit if line.key else "",
    "better": lambda line: quantity(line.key).better if line.key else "",
    "mean": lambda line: line.value.mean,
    "sd": lambda line: line.value.sd,
    "sd_of_seed_means": lambda line: line.value.seed_sd,
    "n": lambda line: line.value.n,
    "scores": lambda line: line.value.scores,
    "undefined": lambda line: line.value.undefined,
    "total": lambda line: line.value.total,
    "median": lambda line: line.value.median,
    "median_n": lambda line: line.value.median_n,
    "cases": lambda line: line.row.cases,
    "patients": lambda line: line.row.patients,
    "cells_finished": lambda line: line.row.cells[0],
    "cells_planned": lambda line: line.row.cells[1],
    "seeds_finished": lambda line: line.row.seeds[0],
    "seeds_planned": lambda line: line.row.seeds[1],
    "folds_finished": lambda line: line.row.folds[0],
    "folds_planned": lambda line: line.row.folds[1],
    "missing_scores": lambda line: line.row.missing_scores,
    "reason": lambda line: plain("; ".join(map(_trouble, line.row.troubles))),
}


def _trouble(trouble: Trouble) -> str:
    return f"seed {trouble.seed}, fold {trouble.fold} {trouble.status}: {trouble.reason}"


def _text(value: str | float) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    return str(value)
