"""tables/compat_<paper>.md: the scores of a run averaged by the rules of a paper's authors, as far as records allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bench.errors import RunError
from bench.evaluation.empties import Empties, describe
from bench.evaluation.metrics import METRICS
from bench.report import numbers
from bench.report.columns import Column
from bench.report.markdown import bullet, escape
from bench.report.notes import profile
from bench.report.tables import as_markdown
from bench.results.aggregates import Row, View, aggregate
from bench.results.load import MAIN, Run
from bench.results.quantities import Quantity, quantity
from bench.suite.papers import CompatNotes, are_here, paper_names, read_paper
from losses.registry import nearest

PREFIX = "compat_"
"""How the names of the pages begin."""


def compat_names() -> tuple[str, ...]:
    """Papers whose authors' rules are known; none where no reported numbers are installed."""
    names = paper_names() if are_here() else ()
    return tuple(name for name in names if read_paper(name).notes.compat is not None)


def check_compat(name: str) -> None:
    """Refuse a name that is none of a paper whose rules are known.

    Raises:
        RunError: with the nearest name.
    """
    known = compat_names()
    if name not in known:
        listed = ", ".join(known) or "none is installed; the rules come with the source of the project"
        raise RunError(f"--compat: there are no rules of the name {name!r}.{nearest(name, known)} Known: {listed}")


def compat_page(run: Run, name: str) -> str:
    """All cases of every data set, checkpoint of best validation DC, by the rules of a paper's authors.

    Raises:
        RunError: there are no such rules, or cells of different methods were not treated equally.
    """
    check_compat(name)
    paper = read_paper(name)
    rules = paper.notes.compat
    assert rules is not None
    lines = [f"# {escape(run.suite['title'])}: by the rules of {escape(name)}", ""]
    lines += [escape(f"Appendix, for those who compare with {paper.notes.title}."), escape(profile(run)), ""]
    lines += [*_tables(by_rules(run, rules), rules), "## The rules", ""]
    lines += [bullet(escape(rule)) for rule in _rules(rules)]
    lines += ["", "What of their rules cannot be rebuilt from records of cases:", ""]
    return "\n".join([*lines, *(bullet(escape(text)) for text in rules.not_rebuilt)]) + "\n"


def by_rules(run: Run, rules: CompatNotes) -> Run:
    """The run with the rules' values in its case records, where one mask or both are empty."""
    cases = run.cases
    if cases.empty:
        return run
    reference, prediction = cases["reference_voxels"] == 0, cases["prediction_voxels"] == 0
    changed = {
        key: cases[key].mask(reference & prediction, rules.both_empty[key]).mask(reference ^ prediction, alone)
        for key, alone in rules.one_empty.items()
    }
    return replace(run, cases=cases.assign(**changed))


def _tables(run: Run, rules: CompatNotes) -> Iterator[str]:
    targets: tuple[str | None, ...] = run.classes if len(run.classes) == 1 else (None, *run.classes)
    views = [View(name, "best", "all", target) for name in run.datasets for target in targets]
    for table in aggregate(run, views):
        yield from (f"## {escape(_heading(run, table.view))}", "")
        yield from (*as_markdown(table, _columns(rules)), "")


def _heading(run: Run, view: View) -> str:
    name = "All test cases" if view.dataset == MAIN else f"All cases of {view.dataset}"
    if len(run.classes) <= 1:
        return name
    return f"{name}: {view.target or 'mean over the classes'}"


def _columns(rules: CompatNotes) -> tuple[Column, ...]:
    shown = [key for key, metric in METRICS.items() if metric.pooled or key in rules.one_empty]
    return (
        Column("cases (patients)", lambda row: f"{row.cases} ({row.patients})"),
        *map(_column, map(quantity, shown)),
    )


def _column(of: Quantity) -> Column:
    def cell(row: Row) -> str:
        return numbers.mean_and_sd(row.values[of.key], of, row.cases)

    return Column(numbers.header(of), cell)


def _rules(rules: CompatNotes) -> Iterator[str]:
    yield f"They are those of {rules.made_by}."
    yield (
        "Every case of the test set counts, with and without target, and weighs the same; a case is averaged over its "
        "seeds first. RVD is averaged with its sign, so errors cancel. DG pools the voxels of all cases."
    )
    policies = {
        METRICS[key].label: Empties(both=rules.both_empty[key], prediction=alone, reference=alone)
        for key, alone in rules.one_empty.items()
    }
    yield f"Empty masks, whatever the volume: {describe(policies)}"
    yield "What an empty mask costs does not grow with the volume, so predicting nothing can improve a mean distance."
    yield "Whatever is not said here is as in scores.md, whose tables this page does not replace."
