"""plots/examples.png: the largest and the smallest lesion of the test set, with the contour of every method.

Each lesion has an overview of its slice, a square around it, and that square with the reference and with each method.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from bench.report.plots.lesion_views import Outcome, View, lesion_views
from bench.report.plots.style import GREY, WIDTH, figure, label, label_lines
from bench.results.load import Run

COLUMNS = 6
"""At most; fewer where that fills the rows better."""
LEADING = 3
"""Panels before those of the methods: the overview, the square without and with the reference."""

REFERENCE, METHOD = "#56b4e9", "#f0e442"
"""Blue and yellow that differ in lightness too; both are seen on black and, with their dark edge, on white."""
_SOLID: dict[str, Any] = {"linewidths": 1.6, "linestyles": "solid"}
_DASHED: dict[str, Any] = {"linewidths": 1.1, "linestyles": [(0, (2.6, 1.7))]}
"""Narrower and broken, so that the reference stays visible where both run along the same edge."""

_WHITE: dict[str, Any] = {"color": "white", "path_effects": [withStroke(linewidth=1.8, foreground="black")]}
"""Text on an image."""

_MARGIN_MM = 10.0
_LINE = 0.125
"""Inches of a line of a panel's title."""

Square = tuple[float, float, float, float]
"""Left, right, top, bottom in mm from the slice's corner."""


def draw_examples(run: Run, path: Path) -> bool:
    """Draw the views; False when no lesion is scored yet, or the slices or all masks were removed.

    Raises:
        DataError: the slices of a case, or a mask, are not what was written.
    """
    views = lesion_views(run)
    if not views:
        return False
    panels = LEADING + len(run.methods)
    rows = math.ceil(panels / COLUMNS)
    columns = math.ceil(panels / rows)
    characters = 102 // columns
    lines = [1] * LEADING + [len(_lines((name, "case DC"), characters)) for name in run.methods.values()]
    height = sum(WIDTH / columns + _LINE * max(lines[i : i + columns]) for i in range(0, panels, columns)) + 0.5
    with figure(path, WIDTH, height * len(views) + 0.6) as drawn:
        title = "Largest and smallest lesion of the test cases; first finished cell of each method"
        drawn.suptitle(title, fontsize=10, fontweight="bold", x=0.01, ha="left")
        parts = drawn.subfigures(len(views), 1, squeeze=False)[:, 0]
        for part, view in zip(parts, views, strict=True):
            part.suptitle("\n".join(label(line, 110) for line in view.title), fontsize=9, x=0.01, ha="left")
            _draw(part.subplots(rows, columns, squeeze=False).ravel(), run, view, characters)
        reference = Line2D([], [], color=REFERENCE, linewidth=2.4, label="reference")
        method = Line2D([], [], color=METHOD, linewidth=1.8, linestyle=(0, (2.6, 1.7)), label="method")
        for line in (reference, method):
            line.set_path_effects([withStroke(linewidth=3.4, foreground="black")])
        drawn.legend(handles=[reference, method], loc="outside lower center", ncols=2)
    return True


def square_around(view: View) -> Square:
    """A square with the lesion in its middle, moved where the slice ends, and beyond its end only where it is narrow.

    As much again on each side as half the lesion and at least 10 mm, but no more than twice the lesion, so that lesions
    of a few voxels are seen as well; never less than six voxels.
    """
    extents = [(stop - first) * mm for (first, stop), mm in zip(view.lesion, view.spacing_mm, strict=True)]
    largest = max(extents)
    margin = max(largest / 2, min(_MARGIN_MM, 2 * largest), 6 * max(view.spacing_mm))
    whole = [n * mm for n, mm in zip(view.image.shape, view.spacing_mm, strict=True)]
    side = min(largest + 2 * margin, max(whole))
    edges: list[float] = []
    for (first, stop), mm, length in zip(view.lesion, view.spacing_mm, whole, strict=True):
        start = (first + stop) * mm / 2 - side / 2
        start = (length - side) / 2 if side >= length else min(max(start, 0.0), length - side)
        edges = [start, start + side, *edges]
    return edges[0], edges[1], edges[2], edges[3]


def _draw(panels: Sequence[Axes], run: Run, view: View, characters: int) -> None:
    """The overview, the square, the reference and one panel per method."""
    for axes in panels[LEADING + len(view.outcomes) :]:
        axes.set_axis_off()
    square = square_around(view)
    _show(panels[0], view, _all_of(view))
    left, right, top, bottom = square
    frame = Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor="white", linewidth=1.0)
    frame.set_path_effects([withStroke(linewidth=2.2, foreground="black")])
    panels[0].add_patch(frame)
    _show(panels[1], view, square)
    _show(panels[2], view, square)
    _contour(panels[2], view, view.reference, REFERENCE, _SOLID)
    _scale_bar(panels[1])
    for axes, outcome in zip(panels[LEADING:], view.outcomes.values(), strict=False):
        _show_method(axes, view, square, outcome, characters)
    titles: list[tuple[str, ...]] = [("overview",), ("framed part",), ("reference",)]
    for method, outcome in view.outcomes.items():
        score = () if outcome.dice is None else (f"case DC {outcome.dice:.2f}",)
        titles.append((run.methods[method], *score))
    for axes, title in zip(panels, titles, strict=False):
        axes.set_title("\n".join(_lines(title, characters)), fontsize=7.5, fontweight="normal", pad=3)


def _show_method(axes: Axes, view: View, square: Square, outcome: Outcome, characters: int) -> None:
    if outcome.mask is None:
        _frame(axes, square, "#eeeeee")
        note = "\n".join(wrap(outcome.note, characters - 2))
        axes.text(0.5, 0.5, note, transform=axes.transAxes, ha="center", va="center", color=GREY, fontsize=7.5)
        return
    _show(axes, view, square)
    _contour(axes, view, view.reference, REFERENCE, _SOLID)
    _contour(axes, view, outcome.mask, METHOD, _DASHED)
    if not _visible(view, outcome.mask, square):
        text = "nothing predicted here"
        axes.text(0.5, 0.03, text, transform=axes.transAxes, ha="center", va="bottom", fontsize=6.5, **_WHITE)


def _show(axes: Axes, view: View, square: Square) -> None:
    height, width = (n * mm for n, mm in zip(view.image.shape, view.spacing_mm, strict=True))
    axes.imshow(view.image, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0), interpolation="nearest")
    _frame(axes, square, "black")


def _frame(axes: Axes, square: Square, colour: str) -> None:
    """A square panel without ticks; where the slice ends it has this colour."""
    left, right, top, bottom = square
    axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[], aspect="equal", facecolor=colour)
    axes.grid(False)
    axes.spines[:].set_visible(False)


def _contour(axes: Axes, view: View, mask: npt.NDArray[np.bool_], colour: str, look: dict[str, Any]) -> None:
    """The outline of a mask between the centres of its outer voxels and of those around, closed at the slice's edge."""
    if not mask.any():
        return
    y, x = ((np.arange(n + 2) - 0.5) * mm for n, mm in zip(mask.shape, view.spacing_mm, strict=True))
    drawn = axes.contour(x, y, np.pad(mask, 1).astype(np.float32), levels=[0.5], colors=[colour], **look)
    drawn.set_path_effects([withStroke(linewidth=look["linewidths"] + 0.8, foreground="black", alpha=0.7)])


def _visible(view: View, mask: npt.NDArray[np.bool_], square: Square) -> bool:
    """Whether the centre of any voxel of a mask lies in a square."""
    left, right, top, bottom = square
    y, x = ((np.arange(n) + 0.5) * mm for n, mm in zip(mask.shape, view.spacing_mm, strict=True))
    return bool(mask[(y > top) & (y < bottom)][:, (x > left) & (x < right)].any())


def _all_of(view: View) -> Square:
    """The whole slice as a square."""
    height, width = (n * mm for n, mm in zip(view.image.shape, view.spacing_mm, strict=True))
    side = max(height, width)
    return (width - side) / 2, (width + side) / 2, (height - side) / 2, (height + side) / 2


def _scale_bar(axes: Axes) -> None:
    """A bar of a round number of millimetres, at most two fifths of the panel."""
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    longest = 0.4 * (right - left)
    power = 10 ** math.floor(math.log10(longest))
    length = max(step * power for step in (1, 2, 5) if step * power <= longest)
    start, level = left + 0.06 * (right - left), bottom + 0.08 * (top - bottom)
    (bar,) = axes.plot([start, start + length], [level, level], color="white", linewidth=2.0, solid_capstyle="butt")
    bar.set_path_effects([withStroke(linewidth=3.4, foreground="black")])
    axes.text(start, level + 0.04 * (top - bottom), f"{length:g} mm", va="bottom", fontsize=7, **_WHITE)


def _lines(title: Sequence[str], characters: int) -> list[str]:
    """A title as wide as a panel."""
    return [part for line in title for part in label_lines(line, characters)]
