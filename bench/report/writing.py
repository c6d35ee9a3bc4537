"""Writing a report: which file holds what."""

from __future__ import annotations

from bench.files.atomic import sweep, write_text
from bench.report import Report
from bench.report.scores import scores_page
from bench.report.terminal import headline
from bench.results.aggregates import aggregate
from bench.results.load import load
from bench.results.run_directory import RunDirectory


def write_report(directory: RunDirectory) -> Report:
    """Write every table and plot of a run; see `bench.report.build`."""
    run = load(directory)
    tables = aggregate(run)
    pages = {
        "scores.md": scores_page(run, tables, "best"),
        "scores_last.md": scores_page(run, tables, "last"),
    }
    directory.tables.mkdir(exist_ok=True)
    sweep(directory.tables)
    for name, text in pages.items():
        write_text(directory.tables / name, text)
    return Report(tuple(headline(run)), tuple(directory.tables / name for name in pages))
