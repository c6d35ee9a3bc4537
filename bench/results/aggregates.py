"""Tables as values: a row aggregates one method's cells, and every row carries its denominators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from bench.results.environments import unusual, usual_environment
from bench.results.fairness import require_equal_treatment
from bench.results.lesion_rates import lesion_values
from bench.results.load import FINISHED, MAIN, PLANNED, Run
from bench.results.quantities import ABSOLUTE_VOLUME, CLEAN, EMPTY, FALSE_VOLUME, case_quantities, with_counted
from bench.results.records import BLOCKS
from bench.results.stages import stage_remarks
from bench.results.values import Value, mean_over_classes, pooled, summarise

Group = Literal["with_target", "lesions", "without_target", "all"]
"""Cases with target (the headline), lesion by lesion, cases without target, all cases."""

GROUPS: tuple[Group, ...] = ("with_target", "lesions", "without_target", "all")


@dataclass(frozen=True)
class View:
    """What a table is about. `target` is a class; None is the mean over classes."""

    dataset: str = MAIN
    block: str = BLOCKS[0]
    group: Group = "with_target"
    target: str | None = None


@dataclass(frozen=True)
class Trouble:
    """A cell that ended without scores."""

    seed: int
    fold: int
    status: str
    reason: str


@dataclass(frozen=True)
class Row:
    """One method in one table. Numbers of cells, seeds and folds are pairs: finished, planned.

    cases, patients  those of the row's group that were scored at least once.
    missing_scores   planned cells × cases of the data set (all groups) without a record.
    troubles         cells that diverged, ran out of memory, failed or died.
    remarks          finished cells that were computed elsewhere than most of the table, where the row started from,
                     and terms of a regressor that were idle.
    values           by key of `bench.results.quantities`; empty when no cell is finished.
    """

    method: str
    label: str
    cells: tuple[int, int]
    seeds: tuple[int, int]
    folds: tuple[int, int]
    cases: int
    patients: int
    missing_scores: int
    troubles: tuple[Trouble, ...]
    remarks: tuple[str, ...]
    values: Mapping[str, Value]

    @property
    def state(self) -> str:
        """`complete`, `partial`, the status in which all cells that ended did so, or `planned`."""
        if self.cells[0]:
            return "complete" if self.cells[0] == self.cells[1] else "partial"
        return ", ".join(dict.fromkeys(trouble.status for trouble in self.troubles)) or PLANNED


@dataclass(frozen=True)
class Table:
    """Rows in the order of the suite; nothing is ranked."""

    view: View
    rows: tuple[Row, ...]


def views(run: Run) -> tuple[View, ...]:
    """Every table of a run: per data set, block, class (the mean over several classes first) and group."""
    targets: tuple[str | None, ...] = run.classes if len(run.classes) == 1 else (None, *run.classes)
    return tuple(
        View(dataset, block, group, target)
        for block in BLOCKS
        for dataset in run.datasets
        for target in targets
        for group in GROUPS
    )


def headline_view(run: Run) -> View:
    """Cases with target of the suite's own data set, checkpoint of best validation DC."""
    return View(target=run.classes[0] if len(run.classes) == 1 else None)


def aggregate(run: Run, wanted: Sequence[View] | None = None) -> tuple[Table, ...]:
    """Aggregate the records of a run into tables, all of them unless some are named.

    Raises:
        RunError: cells of different methods were not treated equally.
    """
    require_equal_treatment(run)
    cases = with_counted(run.cases) if len(run.cases) else run.cases
    usual = usual_environment(run.cells)
    return tuple(
        Table(view, tuple(_row(run, cases, view, method, usual) for method in run.methods))
        for view in (views(run) if wanted is None else wanted)
    )


def _row(run: Run, cases: pd.DataFrame, view: View, method: str, usual: str) -> Row:
    cells = run.cells[run.cells["method"] == method]
    finished = cells[cells["status"] == FINISHED]
    records = cases[(cases["method"] == method) & (cases["dataset"] == view.dataset) & (cases["block"] == view.block)]
    scored = {(cell, case) for cell, case in zip(records["cell"], records["case"], strict=True)}
    planned = {(cell, case) for cell in cells["cell"] for case in run.expected_cases(cell, view.dataset)}
    grouped = _in_group(records, view) if len(records) else records
    return Row(
        method=method,
        label=run.methods[method],
        cells=(len(finished), len(cells)),
        seeds=(finished["seed"].nunique(), cells["seed"].nunique()),
        folds=(finished["fold"].nunique(), cells["fold"].nunique()),
        cases=grouped["case"].nunique(),
        patients=grouped["patient"].nunique(),
        missing_scores=len(planned - scored),
        troubles=tuple(_troubles(cells)),
        remarks=(*unusual(cells, usual), *stage_remarks(run, cells)),
        values=_values(run, records, view, method, _complete_seeds(cells)) if len(records) else {},
    )


def _values(run: Run, records: pd.DataFrame, view: View, method: str, seeds: tuple[int, ...]) -> Mapping[str, Value]:
    if view.target is None:
        single = [View(view.dataset, view.block, view.group, target) for target in run.classes]
        return mean_over_classes([_values(run, records, one, method, seeds) for one in single])
    if view.group == "lesions":
        return lesion_values(run, records, view.dataset, view.block, view.target, method, seeds)
    chosen = _in_group(records, view)
    keys, distances = _keys(view.group)
    empty = (chosen["reference_voxels"] == 0) | (chosen["prediction_voxels"] == 0)
    values = summarise(chosen.assign(scored=~empty), keys, ["case"], seeds, distances)
    return values if view.group == "without_target" else values | pooled(chosen, seeds)


def _keys(group: Group) -> tuple[list[str], list[str]]:
    """The quantities of a group, and those whose median is over the scored pairs."""
    if group == "without_target":
        return [FALSE_VOLUME.key, CLEAN.key], []
    measured = [quantity for quantity in case_quantities() if not quantity.pooled]
    counted = [ABSOLUTE_VOLUME.key, EMPTY.key] if group == "with_target" else [ABSOLUTE_VOLUME.key]
    return [quantity.key for quantity in measured] + counted, [q.key for q in measured if q.unit == "mm"]


def _in_group(records: pd.DataFrame, view: View) -> pd.DataFrame:
    """The records of the group; for the mean over classes those where any class is in it."""
    chosen = records if view.target is None else records[records["class"] == view.target]
    if view.group == "all" or view.group == "lesions":
        return chosen
    has_target = chosen["reference_voxels"] > 0
    return chosen[has_target if view.group == "with_target" else ~has_target]


def _complete_seeds(cells: pd.DataFrame) -> tuple[int, ...]:
    whole = (cells["status"] == FINISHED).groupby(cells["seed"], sort=True).all()
    return tuple(int(seed) for seed in whole.index[whole])


def _troubles(cells: pd.DataFrame) -> Iterator[Trouble]:
    for _, cell in cells[~cells["status"].isin([FINISHED, PLANNED])].iterrows():
        yield Trouble(int(cell["seed"]), int(cell["fold"]), str(cell["status"]), str(cell["reason"]))
