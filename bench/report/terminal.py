"""The headline table for a terminal: means only, narrow, and true at any moment of a run."""

from __future__ import annotations

import shutil
from functools import lru_cache
from textwrap import wrap

from bench.files.checksum import SEAL
from bench.report import numbers
from bench.report.columns import Column
from bench.report.markdown import plain
from bench.report.notes import profile
from bench.report.tables import as_text
from bench.results.aggregates import Row, aggregate, headline_view
from bench.results.load import Run, load
from bench.results.quantities import Quantity, case_quantities
from bench.results.run_directory import RunDirectory

NARROWEST = 100
"""Characters of a line that the table may take however narrow the terminal is, and in a log."""


def headline(run: Run, width: int | None = None) -> list[str]:
    """Title, table and denominators of the cases with target at the best checkpoint, as aligned lines.

    Args:
        width: characters of a line, at most; by default what the terminal has. Longer names are cut.

    Raises:
        RunError: cells of different methods were not treated equally.
    """
    width = width or _terminal_width()
    (table,) = aggregate(run, [headline_view(run)])
    primary = run.suite.get("primary", "dice")
    columns = [
        Column("cases", lambda row: str(row.cases)),
        *(_column(quantity, spread=quantity.key == primary) for quantity in case_quantities()),
    ]
    spread = numbers.header(next(q for q in case_quantities() if q.key == primary))
    return [
        *wrap(plain(run.suite["title"]), width),
        *wrap(plain(profile(run)), width),
        "",
        *as_text(table, columns, width),
        "",
        *wrap(
            f"Means over the cases with target, checkpoint of best validation DC; {spread} ± sd over cases. Rows in "
            "the order of the suite, not ranked.",
            width,
        ),
    ]


def headline_now(directory: RunDirectory) -> list[str]:
    """The same while a run goes on; records are read again only when a cell has been published since."""
    seals = tuple((folder.name, (folder / SEAL).stat().st_mtime_ns) for folder in directory.finished_cells())
    return list(_headline(directory, _terminal_width(), directory.run_file.stat().st_mtime_ns, seals))


@lru_cache(maxsize=1)
def _headline(
    directory: RunDirectory, width: int, _planned: int, _seals: tuple[tuple[str, int], ...]
) -> tuple[str, ...]:
    return tuple(headline(load(directory), width))


def _terminal_width() -> int:
    return max(shutil.get_terminal_size((NARROWEST, 24)).columns, NARROWEST)


def _column(quantity: Quantity, *, spread: bool) -> Column:
    def cell(row: Row) -> str:
        value = row.values[quantity.key]
        return numbers.mean_and_sd(value, quantity, row.cases) if spread else numbers.number(value.mean, quantity)

    return Column(numbers.header(quantity), cell)
