"""`reported:` of a suite: which table of a paper stands beside the measurements. It is shown, and changes no number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from pydantic import ValidationInfo, model_validator

from bench.errors import SuiteError
from bench.settings import Settings
from bench.suite import papers
from bench.suite.papers import Paper, read_paper
from losses.registry import nearest

Keys = tuple[str | int, ...]
"""Keys and indices, from the suite or from the settings that are checked."""


class ReportedSettings(Settings):
    """A table of a paper; its rows are named by the methods."""

    file: str
    """Name of a file of `leaderboard/reported/`, without `.csv`."""
    table: str
    """A table of it, as its column `table` has it."""
    dataset: str | None = None
    """The paper's data set, where the table is of several."""
    same_data: str | None = None
    """Data set of this suite (`main`, or a key of `evaluate_on`) that is the paper's own; by default none is, and every
    reported value says "other data"."""

    @model_validator(mode="after")
    def _exists(self, info: ValidationInfo) -> ReportedSettings:
        if not _unchecked(info):
            paper = _paper(self.file)
            _require(self.table, paper.tables, ("table",), f"no table of {self.file}", "Tables")
            self._check_dataset(paper)
        return self

    def _check_dataset(self, paper: Paper) -> None:
        known = paper.datasets(self.table)
        if self.dataset is not None:
            _require(self.dataset, known, ("dataset",), f"no data set of {self.table}", "Data sets")
        elif len(known) > 1:
            several = f"{self.table!r} is of several data sets; add 'dataset: …', one of {', '.join(known)}"
            raise placed(("table",), several)


def check_rows(
    reported: ReportedSettings | None,
    rows: Mapping[int, str],
    datasets: Collection[str],
    info: ValidationInfo,
) -> None:
    """Check what the methods and data sets of a suite must have for `reported`.

    Args:
        rows: the row of the paper's table that a method names, by the method's place in the suite.
        datasets: names of the suite's data sets.

    Raises:
        ValueError: with the `path` of the key that is wrong.
    """
    if _unchecked(info):
        return
    if reported is None:
        for index in rows:
            text = "names a row of a paper's table; say which: add 'reported: {file: …, table: …}' to the suite"
            raise placed(_row(index), text)
        return
    if reported.same_data is not None:
        _require(reported.same_data, datasets, ("reported", "same_data"), "no data set of this suite", "Known")
    entries = _paper(reported.file).chosen(reported.table, reported.dataset)
    known = dict.fromkeys(entry.row for entry in entries)
    for index, row in rows.items():
        _require(row, known, _row(index), f"no row of {reported.table} of {reported.file}", "Rows")


def _row(index: int) -> Keys:
    return ("methods", index, "reported")


def placed(path: Keys, message: str) -> ValueError:
    """An error that the suite language places at this key."""
    error = ValueError(message)
    error.path = path  # type: ignore[attr-defined]
    return error


def _unchecked(info: ValidationInfo) -> bool:
    """Whether names are taken as they are, because no number depends on them.

    A suite read back from a run directory was checked when it was written. Where there is nothing to look a name up in,
    the report says so in place of the numbers.
    """
    return info.mode == "json" or not papers.are_here()


def _paper(name: str) -> Paper:
    try:
        return read_paper(name)
    except SuiteError as error:
        raise placed(("file",), str(error)) from None


def _require(name: str, known: Iterable[str], path: Keys, what: str, listed: str) -> None:
    names = list(known)
    if name not in names:
        raise placed(path, f"{name!r} is {what}.{nearest(name, names)} {listed}: {', '.join(names)}")
