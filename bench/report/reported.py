"""What a paper reports and what was measured here, row by row: gathered once for the page and the CSV file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bench.errors import SuiteError
from bench.results.aggregates import Row, View, aggregate, headline_view
from bench.results.load import Run
from bench.suite.papers import Entry, MetricNotes, Paper, TableNotes, read_paper

OTHER_DATA = "other data"
SAME_DATA = "same data"

_UNKNOWN = MetricNotes(here=None, comparable=False, reason="nothing is known of how it was computed")


@dataclass(frozen=True)
class Side:
    """A method here and the row of the paper that it stands for; the two are never combined into one number.

    row       the measured values; notes on the paper's row are among its remarks.
    reported  the printed numbers by the paper's name of the metric; empty where the paper has no such row any more.
    """

    row: Row
    paper_row: str
    reported: Mapping[str, Entry]


@dataclass(frozen=True)
class Reported:
    """One table of a paper beside the cases with target of one data set, checkpoint of best validation DC.

    same_data  whether this data set is the paper's own.
    sides      methods that name a row of the paper, in the order of the suite.
    others     labels of the methods that name none.
    """

    paper: Paper
    table: str
    entries: tuple[Entry, ...]
    view: View
    same_data: bool
    sides: tuple[Side, ...]
    others: tuple[str, ...]

    @property
    def data(self) -> str:
        """What every reported value carries."""
        return SAME_DATA if self.same_data else OTHER_DATA

    @property
    def notes(self) -> TableNotes:
        return self.paper.notes.tables.get(self.table, TableNotes(metrics={}))

    @property
    def metrics(self) -> dict[str, MetricNotes]:
        """The paper's metrics in its order, with what is known of each."""
        return {entry.metric: self.notes.metrics.get(entry.metric, _UNKNOWN) for entry in self.entries}

    @property
    def not_run(self) -> tuple[str, ...]:
        """Rows of the paper that no method names."""
        named = {side.paper_row for side in self.sides}
        return tuple(dict.fromkeys(entry.row for entry in self.entries if entry.row not in named))


def reported_beside(run: Run) -> tuple[Reported, ...]:
    """What the run's suite asks for, once per data set that it is scored on; nothing where it names no paper.

    Raises:
        SuiteError: the paper's numbers are not installed, or are damaged.
        RunError: cells of different methods were not treated equally.
    """
    settings = run.suite.get("reported")
    if settings is None:
        return ()
    paper, table = read_paper(settings["file"]), settings["table"]
    entries = paper.chosen(table, settings.get("dataset"))
    if not entries:
        raise SuiteError(f"{paper.name} has no table {table!r} of these data any more")
    views = [replace(headline_view(run), dataset=dataset) for dataset in run.datasets]
    named = {method["id"]: method["reported"] for method in run.suite["methods"] if method.get("reported")}
    notes = paper.notes.tables.get(table, TableNotes(metrics={})).rows
    return tuple(
        Reported(
            paper,
            table,
            entries,
            measured.view,
            measured.view.dataset == settings.get("same_data"),
            tuple(_sides(measured.rows, named, entries, notes)),
            tuple(row.label for row in measured.rows if row.method not in named),
        )
        for measured in aggregate(run, views)
    )


def _sides(
    rows: tuple[Row, ...], named: Mapping[str, str], entries: tuple[Entry, ...], notes: Mapping[str, str]
) -> Iterator[Side]:
    for row in rows:
        if row.method not in named:
            continue
        name = named[row.method]
        found = {entry.metric: entry for entry in entries if entry.row == name}
        note = notes.get(name) if found else "the paper's table has no such row any more"
        remarks = (*row.remarks, f"{name} in the paper: {note}") if note else row.remarks
        yield Side(replace(row, remarks=remarks), name, found)
