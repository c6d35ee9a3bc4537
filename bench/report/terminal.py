"""The headline table for a terminal: means only, narrow, and true at any moment of a run."""

from __future__ import annotations

from functools import lru_cache

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


def headline(run: Run) -> list[str]:
    """Title, table and denominators of the cases with target at the best checkpoint, as aligned lines.

    Raises:
        RunError: cells of different methods were not treated equally.
    """
    (table,) = aggregate(run, [headline_view(run)])
    primary = run.suite.get("primary", "dice")
    columns = [
        Column("cases", lambda row: str(row.cases)),
        *(_column(quantity, spread=quantity.key == primary) for quantity in case_quantities()),
    ]
    spread = numbers.header(next(q for q in case_quantities() if q.key == primary))
    return [
        plain(run.suite["title"]),
        plain(profile(run)),
        "",
        *as_text(table, columns),
        "",
        f"Means over the cases with target, checkpoint of best validation DC; {spread} ± sd over cases. Rows in the "
        "order of the suite, not ranked.",
    ]


def headline_now(directory: RunDirectory) -> list[str]:
    """The same while a run goes on; records are read again only when a cell has been published since."""
    seals = tuple((folder.name, (folder / SEAL).stat().st_mtime_ns) for folder in directory.finished_cells())
    return list(_headline(directory, directory.run_file.stat().st_mtime_ns, seals))


@lru_cache(maxsize=1)
def _headline(directory: RunDirectory, _planned: int, _seals: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    return tuple(headline(load(directory)))


def _column(quantity: Quantity, *, spread: bool) -> Column:
    def cell(row: Row) -> str:
        value = row.values[quantity.key]
        return numbers.mean_and_sd(value, quantity, row.cases) if spread else numbers.number(value.mean, quantity)

    return Column(numbers.header(quantity), cell)
