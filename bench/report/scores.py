"""tables/scores.md and tables/scores_last.md: every table of one checkpoint block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.evaluation.metrics import EMPTY_POLICY
from bench.report.columns import Column, main_columns, median_columns, seed_columns
from bench.report.markdown import escape
from bench.report.notes import notes, profile
from bench.report.tables import as_markdown
from bench.results.aggregates import Group, Table
from bench.results.lesion_rates import small_below_mm3
from bench.results.load import MAIN, Run

BLOCK_TITLES = {"best": "checkpoint of best validation DC", "last": "checkpoint of the last step"}
_GROUP_TITLES: dict[Group, str] = {
    "with_target": "Cases with target",
    "lesions": "Lesion by lesion",
    "without_target": "Cases without target",
    "all": "All cases",
}


_SEEDS = "Standard deviation of the per-seed means, complete seeds only."
_POLICY_ABOVE = "as stated below the first table."


def scores_page(run: Run, tables: Sequence[Table], block: str) -> str:
    """The Markdown page of one block.

    Args:
        tables: all tables of the run; those of the other block are left out.
    """
    chosen = [table for table in tables if table.view.block == block]
    lines = [f"# {escape(run.suite['title'])}", "", _subtitle(run, block), ""]
    place: tuple[str, str | None] | None = None
    for table in chosen:
        if place != (table.view.dataset, table.view.target):
            place = (table.view.dataset, table.view.target)
            lines += [f"## {_heading(run, table)}", ""]
        lines += _section(run, table, EMPTY_POLICY if table is chosen[0] else _POLICY_ABOVE)
    return "\n".join([*lines, "## Notes", "", *notes(run)]).rstrip("\n") + "\n"


def _subtitle(run: Run, block: str) -> str:
    finished, planned = int((run.cells["status"] == "finished").sum()), len(run.cells)
    state = "" if finished == planned else f" **{planned - finished} of {planned} cells are not finished.**"
    return f"{escape(profile(run))} Scores of the {BLOCK_TITLES[block]}, on test cases only.{state}"


def _heading(run: Run, table: Table) -> str:
    dataset, target = table.view.dataset, table.view.target
    name = "Test cases" if dataset == MAIN else f"Evaluated on {dataset}"
    if len(run.classes) <= 1:
        return escape(name)
    return escape(f"{name}: mean over the classes {', '.join(run.classes)}" if target is None else f"{name}: {target}")


def _section(run: Run, table: Table, policy: str) -> Iterator[str]:
    """One group's tables; `policy` is what they say of empty masks: all of it once a page, then where it stands."""
    group = table.view.group
    if group == "without_target" and table.view.target is not None and not any(row.cases for row in table.rows):
        yield from (f"### {_GROUP_TITLES[group]}", "", "Every scored case has a target.", "")
        return
    yield from (f"### {_GROUP_TITLES[group]}", "")
    yield from _shown(
        table, main_columns(group), f"{_denominators(table)} {_explained(run, table, policy)}", footnotes=True
    )
    if group != "with_target":
        return
    if table.view.target is not None:
        yield from _shown(table, median_columns(), "Medians over scored pairs (case and cell, both masks non-empty).")
    if any(row.seeds[1] > 1 for row in table.rows):
        yield from _shown(table, seed_columns(), f"{_SEEDS} Empty masks: {_POLICY_ABOVE}")


def _shown(table: Table, columns: Sequence[Column], below: str, footnotes: bool = False) -> Iterator[str]:
    yield from as_markdown(table, columns, footnotes)
    yield from ("", escape(below), "")


def _denominators(table: Table) -> str:
    """The plan, and what is missing from it."""
    first = table.rows[0]
    missing_cells = sum(row.cells[1] - row.cells[0] for row in table.rows)
    missing_scores = sum(row.missing_scores for row in table.rows)
    return (
        f"Planned per row: {_count(first.cells[1], 'cell')} ({_count(first.seeds[1], 'seed')}, "
        f"{_count(first.folds[1], 'fold')}). Missing in all rows: {_count(missing_cells, 'cell')}, "
        f"{_count(missing_scores, 'case score')}."
    )


def _explained(run: Run, table: Table, policy: str) -> str:
    view = table.view
    if view.target is None:
        return "Mean over the classes of the classes' means. Empty masks: " + policy
    if view.group == "lesions":
        middle = small_below_mm3(run, view.dataset, view.target)
        size = "" if middle is None else f" Small: below {middle:.0f} mm³, the median of the test set's lesions."
        return f"Recall is over lesions, with found/all lesions of all cells in brackets.{size}"
    if view.group == "without_target":
        return (
            "Volume that was predicted where nothing is; clean: nothing was predicted, in brackets per case and cell."
        )
    return "Mean ± standard deviation over cases. Empty masks: " + policy


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
