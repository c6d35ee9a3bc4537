"""What all plots share: one look per method, sizes for a README's width, files that are the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.files.atomic import write_bytes
from bench.report.markdown import plain

WIDTH = 8.0
"""Inches; with DPI 1200 pixels, twice what a README shows."""
DPI = 150
_LINE = 0.15
"""Inches: height of a line of text of 8.5 to 9.5 points."""
GREY, LIGHT = "#555555", "#c8c8c8"

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#8c6d31")
"""Okabe and Ito's colours, which colour-blind readers can tell apart, with a brown in place of their yellow."""
_LINES = ("-", "--", ":", "-.")

_LABEL_LENGTH = 38
_MOST_LINES = 7

_RC: dict[Any, Any] = {
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": GREY,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": False,
    "figure.dpi": DPI,
}


@dataclass(frozen=True)
class Look:
    """How a method is drawn, in every plot of a run alike."""

    colour: str
    line: str


def looks(methods: Sequence[str]) -> dict[str, Look]:
    """A look for each method, by its place in the suite: colours first, then line styles."""
    return {
        method: Look(_COLOURS[i % len(_COLOURS)], _LINES[i // len(_COLOURS) % len(_LINES)])
        for i, method in enumerate(methods)
    }


def label(text: str, length: int = _LABEL_LENGTH) -> str:
    """A name as matplotlib shows it: one line, no formula, cut where it is too long for the plot."""
    line = plain(text)
    cut = line if len(line) <= length else line[: length - 1] + "…"
    return cut.replace("$", r"\$")


def label_lines(text: str, length: int = _LABEL_LENGTH) -> list[str]:
    """A name over several lines, because the names of a table's rows often differ only at their ends."""
    broken = wrap(plain(text), length, max_lines=_MOST_LINES, placeholder=" …", break_on_hyphens=False)
    return [label(line, length) for line in broken]


def wrapped_label(text: str, length: int = _LABEL_LENGTH) -> str:
    """The same as one text."""
    return "\n".join(label_lines(text, length))


def tallest(labels: Sequence[str]) -> float:
    """Inches that the label of most lines takes."""
    return _LINE * max(text.count("\n") + 1 for text in labels)


@contextmanager
def figure(path: Path, width: float, height: float) -> Iterator[Figure]:
    """Draw a figure of this size in inches into a PNG file; whatever the user's matplotlib settings say."""
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **_RC}):
        drawn = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(drawn)
        yield drawn
        buffer = io.BytesIO()
        # The version of matplotlib in the file would make equal pictures unequal.
        drawn.savefig(buffer, format="png", metadata={"Software": None})
        write_bytes(path, buffer.getvalue())
