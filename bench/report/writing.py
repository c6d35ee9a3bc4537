"""Writing a report: which file holds what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.files.atomic import sweep, write_text
from bench.files.storage import make_folder
from bench.report import Report
from bench.report.costs import costs_csv, costs_page
from bench.report.regressors import regressors_page
from bench.report.scores import scores_page
from bench.report.scores_csv import scores_csv
from bench.report.terminal import headline
from bench.results.aggregates import Table, aggregate
from bench.results.load import Run, load
from bench.results.run_directory import RunDirectory


def write_report(directory: RunDirectory) -> Report:
    """Write every table and plot of a run; see `bench.report.build`."""
    from bench.report.plots.writing import write_plots

    run = load(directory)
    tables = aggregate(run)
    return Report(tuple(headline(run)), (*_write_tables(run, tables), *write_plots(run)))


def _write_tables(run: Run, tables: tuple[Table, ...]) -> Iterator[Path]:
    folder = run.directory.tables
    make_folder(folder)
    sweep(folder)
    pages = {
        "scores.md": scores_page(run, tables, "best"),
        "scores_last.md": scores_page(run, tables, "last"),
        "scores.csv": scores_csv(run, tables),
        "costs.md": costs_page(run),
        "costs.csv": costs_csv(run),
    }
    regressors = regressors_page(run)
    if regressors is not None:
        pages["regressors.md"] = regressors
    for name, text in pages.items():
        write_text(folder / name, text)
        yield folder / name
