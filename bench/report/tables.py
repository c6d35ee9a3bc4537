"""One table as lines: Markdown for files, aligned text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from bench.report import markdown
from bench.report.columns import Column
from bench.report.footnotes import rows_of, words
from bench.report.numbers import NOTHING
from bench.results.aggregates import Row, Table

_SHORTEST = 12
"""Characters of a name that are kept however narrow the terminal is."""


def as_markdown(table: Table, columns: Sequence[Column], footnotes: bool = True) -> list[str]:
    """The table and, below it, its footnotes; a second table of the same rows has the same marks and needs none."""
    notes, marks = rows_of(table)
    header, *rows = ([markdown.escape(cell) for cell in row] for row in _cells(table, columns, marks))
    below = [markdown.escape(line) for line in notes.lines()] if footnotes else []
    return markdown.table(header, rows) + [line for note in below for line in ("", note)]


def as_text(table: Table, columns: Sequence[Column], width: int) -> list[str]:
    """The same for a terminal, narrower: a heading of several words takes two lines, and long names are cut to fit.

    Where that would make two names alike, every name stands whole on a line of its own above its numbers.
    """
    notes, marks = rows_of(table)
    header, *rows = ([markdown.plain(cell) for cell in row] for row in _cells(table, columns, marks))
    upper = [heading.partition(" ")[0] if " " in heading else "" for heading in header]
    lower = [heading.partition(" ")[2] or heading for heading in header]
    others = markdown.aligned(upper[1:], [row[1:] for row in (lower, *rows)], left=0)
    room = max(width - max(map(len, others)) - 2, _SHORTEST)
    short = [_shortened(row[0], mark, room) for row, mark in zip(rows, marks, strict=True)]
    below = [part for line in notes.lines() for part in wrap(markdown.plain(line), width)]
    if len(set(short)) < len(short):
        return [*_below_names(upper, lower, rows), *below]
    return [
        *markdown.aligned(upper, [lower, *([name, *row[1:]] for name, row in zip(short, rows, strict=True))]),
        *below,
    ]


def _below_names(upper: list[str], lower: list[str], rows: list[list[str]]) -> list[str]:
    """Every row in two lines: its name, then its numbers in their columns."""
    first, second, *numbers = markdown.aligned(upper, [lower, *(["", *row[1:]] for row in rows)])
    named = (line for row, values in zip(rows, numbers, strict=True) for line in (row[0], values))
    return [first, second, *named]


def _shortened(label: str, mark: str, room: int) -> str:
    """A name with its mark, cut with an ellipsis where both together do not fit."""
    return label if len(label) <= room else f"{label[: room - len(mark) - 1].rstrip()}…{mark}"


def _cells(table: Table, columns: Sequence[Column], marks: Sequence[str]) -> list[list[str]]:
    header = ["Method", "cells", *(column.heading for column in columns)]
    return [header, *(_row(row, columns, mark) for row, mark in zip(table.rows, marks, strict=True))]


def _row(row: Row, columns: Sequence[Column], mark: str) -> list[str]:
    """A row without a finished cell shows how its cells ended where its first number would be."""
    front = [row.label + mark, f"{row.cells[0]}/{row.cells[1]}"]
    if row.values:
        return front + [column.cell(row) for column in columns]
    return [*front, words(row.state), *(NOTHING for _ in columns[1:])]
