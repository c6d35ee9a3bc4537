"""Tables and plots of a run, rebuilt from its records alone. Importing the room loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.results.run_directory import RunDirectory


@dataclass(frozen=True)
class Report:
    """What was written, and the headline table as lines for a terminal."""

    headline: tuple[str, ...]
    paths: tuple[Path, ...]


def build(run: RunDirectory) -> Report:
    """Write tables/ and plots/ anew from the records of a run; the same records give the same bytes.

    Raises:
        RunError: a record is damaged, or cells of different methods were not treated equally.
    """
    from bench.report.writing import write_report

    return write_report(run)


def headline_lines(run: RunDirectory) -> list[str]:
    """The headline table as it stands now, while cells are still being trained.

    Raises:
        RunError: as `build`.
    """
    from bench.report.terminal import headline_now

    return headline_now(run)
