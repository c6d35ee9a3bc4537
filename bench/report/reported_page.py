"""tables/reported.md: for every metric of a paper's table, what it reports beside what was measured here."""

from __future__ import annotations

from collections.abc import Iterator

from bench.errors import SuiteError
from bench.report import numbers
from bench.report.agreement import DICE, agreement_line
from bench.report.beside import measured, printed
from bench.report.crossed import crossed_table
from bench.report.footnotes import Footnotes
from bench.report.markdown import bullet, escape, table
from bench.report.notes import profile
from bench.report.reported import Reported, reported_beside
from bench.results.aggregates import Row
from bench.results.load import MAIN, Run
from bench.results.quantities import quantity
from bench.suite.papers import MetricNotes


def reported_page(run: Run) -> str | None:
    """The page, or None for a suite that names no paper; where the paper's numbers are not here the page says so.

    Data sets that are only scored on follow the suite's own, each with all of its tables.

    Raises:
        RunError: cells of different methods were not treated equally.
    """
    title = f"# {escape(run.suite['title'])}: reported and measured"
    try:
        found = reported_beside(run)
    except SuiteError as error:
        return f"{title}\n\nNot shown: {escape(str(error))}.\n"
    return "\n".join(_of_data_set(run, reported, title) for reported in found) or None


def _of_data_set(run: Run, reported: Reported, title: str) -> str:
    data = "" if reported.view.dataset == MAIN else f", {escape(reported.view.dataset)}"
    lines = [title + data, "", f"{escape(profile(run))} {escape(_what(reported))}", ""]
    marks = Footnotes()
    labels = [side.row.label + marks.marks(side.row) for side in reported.sides]
    for name, notes in reported.metrics.items() if reported.sides else ():
        lines += [*_section(reported, name, notes, labels), ""]
    footnotes = [line for note in marks.lines() for line in (escape(note), "")]
    if footnotes:
        lines += ["## Rows", ""]
    return "\n".join([*lines, *footnotes, "## Notes", "", *(bullet(escape(note)) for note in _notes(reported))]) + "\n"


def _what(reported: Reported) -> str:
    entry = reported.entries[0]
    cases = f", {entry.cases} cases" if entry.cases else ""
    data = "" if reported.view.dataset == MAIN else f" of {reported.view.dataset}"
    return (
        f"Reported: {reported.paper.notes.title}, {reported.table}, {entry.dataset}{cases}. Measured here: cases with "
        f"target{data}, checkpoint of best validation DC, mean ± standard deviation over cases. The two stand side by "
        "side; nothing is averaged over both, and neither is ranked."
    )


def comparability(reported: Reported, notes: MetricNotes) -> str:
    """How far a metric's two columns can be compared, in a few words."""
    if notes.here is None:
        return "no such metric here"
    if not notes.comparable:
        return "not comparable"
    return "comparable" if reported.same_data else "comparable by definition, other data"


def _section(reported: Reported, name: str, notes: MetricNotes, labels: list[str]) -> Iterator[str]:
    yield from (f"## {escape(name)}: {comparability(reported, notes)}", "")
    yield from (escape(f"{notes.reason[:1].upper()}{notes.reason[1:]}."), "")
    if crossed := crossed_table(reported, name, notes):
        yield from (*crossed, "", "The same row by row:", "")
    here = "measured here" if notes.here is None else f"measured here: {numbers.header(quantity(notes.here))}"
    header = ["Method", "row of the paper", f"reported {name}", here, "cases (patients)"]
    rows = [
        [label, side.paper_row, printed(reported, side, name), measured(side.row, notes), _cases(side.row)]
        for label, side in zip(labels, reported.sides, strict=True)
    ]
    yield from table([escape(cell) for cell in header], [[escape(cell) for cell in row] for row in rows], left=2)
    if notes.here == DICE:
        yield from ("", escape(agreement_line(reported)))


def _cases(row: Row) -> str:
    return f"{row.cases} ({row.patients})"


def _notes(reported: Reported) -> Iterator[str]:
    if not reported.same_data:
        yield (
            "Other data: no reported value is of the cases that were measured here, so no difference between the two "
            "columns is a difference between implementations."
        )
    yield (
        "Agreement of order: τ is 1 where both sides rank the rows alike, −1 where they rank them in reverse. A row of "
        "the paper that several methods name counts once, with the method that the suite lists first; rows that are "
        "not finished are left out."
    )
    yield from reported.notes.notes
    remarks = dict.fromkeys(entry.note for entry in reported.entries if entry.note)
    yield from (f"Noted with the numbers: {note}." for note in remarks)
    if reported.not_run:
        yield f"Rows of the paper that no method here names: {', '.join(reported.not_run)}."
    if reported.others:
        yield f"Methods here without a row in the paper: {', '.join(reported.others)}."
