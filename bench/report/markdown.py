"""Markdown that reads as plain text too: aligned tables, names that can break nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SPECIAL = re.compile(r"([\\|`*\[\]~$])")
_OUTER_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BLOCK_START = re.compile(r"^(\d*)([#+=.)-])")


def plain(text: str) -> str:
    """One line without control characters: a newline in a name must not start a new row."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def escape(text: str) -> str:
    """Text as Markdown that shows exactly this text, in a table as well as elsewhere: no markup, HTML or formula."""
    safe = _SPECIAL.sub(r"\\\1", plain(text))
    safe = _OUTER_UNDERSCORE.sub(r"\\_", safe)
    return "".join(_HTML.get(character, character) for character in safe)


def bullet(text: str) -> str:
    """A list item that shows this text, also where it begins like a heading or another list."""
    return "- " + _BLOCK_START.sub(r"\1\\\2", text)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Lines of a table whose columns are padded to one width; the first `left` columns are left-aligned.

    Cells must be escaped already.
    """
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    rule = [
        "-" * max(width, 3) if column < left else "-" * (max(width, 3) - 1) + ":" for column, width in enumerate(widths)
    ]
    padded = [
        [
            cell.ljust(len(rule[column])) if column < left else cell.rjust(len(rule[column]))
            for column, cell in enumerate(row)
        ]
        for row in (header, rule, *rows)
    ]
    return [f"| {' | '.join(row)} |" for row in padded]


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """The same table for a terminal: columns two blanks apart, no lines."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    ]
