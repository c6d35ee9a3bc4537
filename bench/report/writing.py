"""Writing a report: which file holds what."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from bench.files.atomic import sweep, write_text
from bench.files.lock import FileLock
from bench.files.storage import make_folder
from bench.report import Report
from bench.report.compat import PREFIX, compat_names, compat_page
from bench.report.costs import costs_csv, costs_page
from bench.report.regressors import regressors_page
from bench.report.reported_csv import reported_csv
from bench.report.reported_page import reported_page
from bench.report.scores import scores_page
from bench.report.scores_csv import scores_csv
from bench.report.terminal import headline
from bench.results.aggregates import Table, aggregate
from bench.results.load import Run, load
from bench.results.run_directory import RunDirectory

POLL_SECONDS = 0.5


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
    optional = {
        "regressors.md": regressors_page(run),
        "reported.md": reported_page(run),
        "reported.csv": reported_csv(run),
        **{path.name: compat_page(run, name) for name, path in _compat_pages(folder)},
    }
    pages |= {name: text for name, text in optional.items() if text is not None}
    for name, text in pages.items():
        write_text(folder / name, text)
        yield folder / name
    for name in optional.keys() - pages.keys():
        (folder / name).unlink(missing_ok=True)  # of a suite that has changed since


def write_compat(directory: RunDirectory, name: str) -> Path:
    """Write the page of a paper's rules; from then on `write_report` keeps it up to date.

    Raises:
        RunError: there are no rules of that name, a record is damaged, or cells were not treated equally.
    """
    path = directory.tables / f"{PREFIX}{name}.md"
    text = compat_page(load(directory), name)
    lock = FileLock(directory.reporting)
    while not lock.acquire():
        time.sleep(POLL_SECONDS)
    try:
        make_folder(path.parent)
        write_text(path, text)
    finally:
        lock.release()
    return path


def _compat_pages(folder: Path) -> Iterator[tuple[str, Path]]:
    """Pages of papers' rules that somebody has asked for before."""
    if any(folder.glob(f"{PREFIX}*.md")):
        paths = ((name, folder / f"{PREFIX}{name}.md") for name in compat_names())
        yield from ((name, path) for name, path in paths if path.exists())
