"""What `run` shows: a live table with bars and an ETA on a terminal, plain dated lines everywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bench.api import Show
from bench.execution.status import CellStatus, PretrainingStatus, Status
from bench.report import Report, headline_lines
from bench.results.run_directory import RunDirectory

PASSING = ("checkpoint", "validated", "validation", "resumed", "recording", "publishing")
"""Phases too short to deserve a line in a log."""


TRAINING_SHARE = 0.75
"""Part of a cell's work that is training; a guess, for the time left alone."""


@contextmanager
def display() -> Iterator[Show]:
    """The display that fits standard output."""
    if not sys.stdout.isatty():
        yield PlainShow()
        return
    with Live(console=Console(), refresh_per_second=4, transient=True) as live:
        yield LiveShow(live)


class PlainShow:
    """One dated line per event; nothing is overwritten, so logs of a cluster stay readable."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def note(self, line: str) -> None:
        print(line, flush=True)

    def status(self, run: RunDirectory, status: Status) -> None:
        self._say("cases", f"{status.cases_prepared} of {status.cases_needed} cases prepared", status.cases_prepared)
        if status.maps_needed:
            line = f"{status.maps_computed} of {status.maps_needed} target maps computed"
            self._say("maps", line, status.maps_computed)
        if status.regressors_needed:
            line = f"{status.regressors_trained} of {status.regressors_needed} regressors pre-trained"
            self._say("regressors", line, status.regressors_trained)
        for one in status.pretraining:
            self._stage(one.id, one)
        for cell in status.cells:
            if cell.state == "done":
                dice = "" if cell.validation_dice is None else f", best validation DC {cell.validation_dice:.3f}"
                self._say(cell.id, f"{cell.id}: {cell.outcome}{dice}", "done")
            elif cell.state == "working":
                self._stage(cell.id, cell)

    def report(self, report: Report) -> None:
        print("\n".join(["", *report.headline, "", *map(str, report.paths)]), flush=True)

    def _stage(self, identity: str, at: CellStatus | PretrainingStatus) -> None:
        """A line for every quarter of a phase that is worth one."""
        if at.phase not in PASSING:
            quarter = at.phase, 4 * at.step // max(at.steps, 1)
            self._say(identity, f"{identity}: {at.phase} {at.step} of {at.steps}", quarter)

    def _say(self, key: str, line: str, state: object) -> None:
        if self._seen.get(key) != str(state):
            self._seen[key] = str(state)
            print(f"{datetime.now():%Y-%m-%d %H:%M:%S}  {line}", flush=True)


class LiveShow:
    """A table that is redrawn: the cells at work with bars, below it the rows of the comparison so far."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._started = time.monotonic()
        self._first: float | None = None

    def note(self, line: str) -> None:
        self._live.console.print(line, highlight=False, markup=False)

    def status(self, run: RunDirectory, status: Status) -> None:
        lines = headline_lines(run) if any(c.state == "done" for c in status.cells) else []
        rows = Text("\n".join(lines), no_wrap=True, overflow="ellipsis")
        self._live.update(Group(self._bars(status), rows, Text(self._eta(status), style="dim")))

    def report(self, report: Report) -> None:
        self._live.update(Text(""))
        self._live.console.print("\n".join(["", *report.headline, ""]), highlight=False, markup=False)
        for path in report.paths:
            self._live.console.print(str(path), highlight=False, markup=False)

    def _bars(self, status: Status) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        if status.cases_prepared < status.cases_needed:
            table.add_row("cases", ProgressBar(status.cases_needed, status.cases_prepared, width=30), "preparing")
        elif status.maps_computed < status.maps_needed:
            table.add_row("target maps", ProgressBar(status.maps_needed, status.maps_computed, width=30), "computing")
        for one in status.pretraining:
            table.add_row(one.id, ProgressBar(one.steps, one.step, width=30), f"pre-{one.phase} {one.step}")
        for cell in status.cells:
            if cell.state == "working":
                table.add_row(_name(cell), ProgressBar(cell.steps, cell.step, width=30), f"{cell.phase} {cell.step}")
        return table

    def _eta(self, status: Status) -> str:
        """From the share of the work that this process saw being done."""
        share = sum(map(_share, status.cells)) / max(len(status.cells), 1)
        elapsed = time.monotonic() - self._started
        if self._first is None:
            self._first = share
        seen = share - self._first
        left = f"about {elapsed * (1 - share) / seen / 60:.0f} min left" if seen > 0 else "time left unknown"
        finished = sum(cell.state == "done" for cell in status.cells)
        return f"{finished} of {len(status.cells)} cells done, {elapsed / 60:.0f} min so far, {left}"


def _share(cell: CellStatus) -> float:
    """Roughly how much of a cell is done; only the time left is told from it."""
    if cell.state != "working":
        return float(cell.state == "done")
    part = cell.step / max(cell.steps, 1)
    scoring = cell.phase.startswith("scoring")
    return TRAINING_SHARE + (1 - TRAINING_SHARE) * part / 2 if scoring else TRAINING_SHARE * part


def _name(cell: CellStatus) -> str:
    return f"{cell.label} (seed {cell.seed})"
