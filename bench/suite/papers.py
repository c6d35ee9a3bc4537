"""The numbers that papers report: `leaderboard/reported/`, one CSV per paper and what is known of it in YAML beside it.

They come with the source of the project, not with an installed package.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from bench.errors import SuiteError
from bench.files.home import HOME
from bench.settings import Settings
from bench.suite.tree import read
from bench.suite.validation import validate
from losses.registry import nearest

FOLDER = HOME / "leaderboard" / "reported"

COLUMNS = ("source", "table", "dataset", "cases", "row", "metric", "value", "note")

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class MetricNotes(Settings):
    """One metric of a paper's table."""

    here: str | None
    """Key of the metric of this project that stands beside it; null where there is none."""
    comparable: bool
    """Whether both are defined alike; on other data not even then comparable."""
    reason: str


class TableNotes(Settings):
    """What must be said of a paper's table, and of single rows by name."""

    notes: tuple[str, ...] = ()
    metrics: dict[str, MetricNotes]
    rows: dict[str, str] = Field(default_factory=dict)


class CompatNotes(Settings):
    """How the authors average: over all cases, with these values by metric where one mask or both are empty."""

    made_by: str
    both_empty: dict[str, float]
    one_empty: dict[str, float]
    not_rebuilt: tuple[str, ...]
    """Rules of theirs that cannot be followed on records of cases."""


class PaperNotes(Settings):
    """The YAML file beside a CSV."""

    title: str
    tables: dict[str, TableNotes]
    compat: CompatNotes | None = None


@dataclass(frozen=True)
class Entry:
    """One printed number. `value` has the digits of the paper; `cases` may be empty."""

    source: str
    table: str
    dataset: str
    cases: str
    row: str
    metric: str
    value: str
    note: str

    @property
    def number(self) -> float:
        return float(self.value)


@dataclass(frozen=True)
class Paper:
    """All printed numbers of a paper, in the order of its CSV, and what is known of them."""

    name: str
    entries: tuple[Entry, ...]
    notes: PaperNotes

    @property
    def tables(self) -> tuple[str, ...]:
        return _distinct(entry.table for entry in self.entries)

    def datasets(self, table: str) -> tuple[str, ...]:
        """Data sets that a table is of."""
        return _distinct(entry.dataset for entry in self.entries if entry.table == table)

    def chosen(self, table: str, dataset: str | None = None) -> tuple[Entry, ...]:
        """The numbers of one table, of one data set where it is named."""
        found = (entry for entry in self.entries if entry.table == table)
        return tuple(entry for entry in found if dataset is None or entry.dataset == dataset)


def are_here() -> bool:
    """Whether this installation has reported numbers at all."""
    return FOLDER.is_dir()


def paper_names() -> tuple[str, ...]:
    """Names of the papers, which are those of their files.

    Raises:
        SuiteError: there is no folder of reported numbers.
    """
    if not are_here():
        raise SuiteError(
            f"there is no folder {FOLDER} with the numbers that papers report; it comes with the source of the "
            "project: install from a checkout"
        )
    return tuple(sorted(path.stem for path in FOLDER.glob("*.csv")))


def read_paper(name: str) -> Paper:
    """Read a paper's numbers and notes.

    Raises:
        SuiteError: there is no such paper, or a file of it is damaged; the message names the nearest, or the line.
    """
    known = paper_names()
    if name not in known:
        raise SuiteError(
            f"unknown file of reported numbers {name!r}.{nearest(name, known)} Known: {', '.join(known) or 'none'}"
        )
    return Paper(name, _entries(FOLDER / f"{name}.csv"), validate(read(FOLDER / f"{name}.yaml"), PaperNotes))


def _entries(path: Path) -> tuple[Entry, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path} cannot be read ({error})") from error
    reader = csv.reader(lines)
    if tuple(next(reader, ())) != COLUMNS:
        raise SuiteError(f"{path}:1: expected the columns {', '.join(COLUMNS)}")
    found: dict[tuple[str, ...], Entry] = {}
    for fields in reader:
        place = f"{path}:{reader.line_num}"
        if len(fields) != len(COLUMNS):
            raise SuiteError(f"{place}: found {len(fields)} fields; expected {len(COLUMNS)}")
        entry = Entry(*fields)
        key = (entry.table, entry.dataset, entry.row, entry.metric)
        if key in found:
            raise SuiteError(f"{place}: {entry.metric} of {entry.row!r} in {entry.table} is given twice")
        if not _NUMBER.fullmatch(entry.value):
            raise SuiteError(f"{place}: found the value {entry.value!r}; expected a number such as 0.647")
        found[key] = entry
    return tuple(found.values())


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
