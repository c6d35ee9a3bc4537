"""Pages of sections: with tables and colours on a terminal, as plain aligned lines everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.report.markdown import aligned

WIDTH = 100
"""Characters of a line where there is no terminal."""
COLOURS = {"ok": "green", "look": "yellow", "broken": "red"}


@dataclass(frozen=True)
class Section:
    """Part of a page.

    title      its heading.
    mark       ok, look or broken, or nothing.
    lines      sentences; each begins a new line.
    header     of the table, if there is one; the first column is text, the others are numbers unless `left` says more.
    rows       of the table.
    left       how many columns are text.
    picture    lines that are shown as they are.
    fine_print what was run, in small.
    """

    title: str
    mark: str = ""
    lines: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    left: int = 1
    picture: tuple[str, ...] = ()
    fine_print: str = ""


def show(sections: Sequence[Section]) -> None:
    """Print a page to standard output."""
    if sys.stdout.isatty():
        console = Console(highlight=False)
        for section in sections:
            _show_rich(console, section)
    else:
        print("\n\n".join("\n".join(plain_lines(section)) for section in sections))


def plain_lines(section: Section) -> list[str]:
    """A section without colours, at most `WIDTH` wide but for its table and picture."""
    mark = f"  [{section.mark}]" if section.mark else ""
    lines = [section.title + mark]
    for line in section.lines:
        lines += wrap(line, WIDTH, initial_indent="  ", subsequent_indent="    ")
    if section.header:
        lines += [f"  {line}".rstrip() for line in aligned(section.header, section.rows, section.left)]
    lines += [f"    {line}".rstrip() for line in section.picture]
    if section.fine_print:
        lines += wrap(f"ran: {section.fine_print}", WIDTH, initial_indent="  ", subsequent_indent="    ")
    return lines


def _show_rich(console: Console, section: Section) -> None:
    heading = Text(section.title, style="bold")
    if section.mark:
        heading.append(f"  {section.mark}", style=f"bold {COLOURS[section.mark]}")
    console.print(heading)
    for line in section.lines:
        console.print(Text(line), soft_wrap=False)
    if section.header:
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for place, name in enumerate(section.header):
            table.add_column(name, justify="left" if place < section.left else "right")
        for row in section.rows:
            table.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
        console.print(table)
    for line in section.picture:
        console.print(Text(f"  {line}"), no_wrap=True)
    if section.fine_print:
        console.print(Text(f"ran: {section.fine_print}", style="dim"))
    console.print()
