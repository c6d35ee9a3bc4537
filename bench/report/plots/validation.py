"""plots/validation_dice.png: validation DC over the steps, one line per method, a band over its cells."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from bench.report.plots.style import GREY, LIGHT, WIDTH, Look, figure, label, looks
from bench.results.load import FINISHED, Run

ONE_PANEL = 6
"""Up to this many methods share one panel; more get a panel each, with the others in grey behind."""

Curves = dict[str, tuple[pd.DataFrame, pd.DataFrame]]
"""Per method, the validations of its finished cells and of those that ended early."""


def draw_validation(run: Run, path: Path) -> bool:
    """Draw the curves; False when nothing has been validated yet."""
    curves = _curves(run)
    if not curves:
        return False
    style = looks(list(run.methods))
    if len(curves) <= ONE_PANEL:
        with figure(path, WIDTH, 4.2) as drawn:
            axes = drawn.add_subplot()
            for method in curves:
                _draw(axes, curves, method, style[method], label(run.methods[method], 26))
            _finish(axes)
            axes.set_title(_title(run))
            axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), borderaxespad=0)
        return True
    columns = 3 if len(curves) <= 9 else 4
    rows = math.ceil(len(curves) / columns)
    with figure(path, WIDTH, 0.5 + 1.75 * rows) as drawn:
        panels = drawn.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for place, (axes, method) in enumerate(zip(panels, curves, strict=False)):
            for other in curves:
                _draw(axes, curves, other, Look(LIGHT, "-"), behind=True)
            _draw(axes, curves, method, style[method])
            axes.set_title(label(run.methods[method], 90 // columns), fontsize=8.5)
            axes.tick_params(labelbottom=place + columns >= len(curves))
        for axes in panels[len(curves) :]:
            axes.set_axis_off()
        drawn.supxlabel("step", fontsize=9.5, color=GREY)
        drawn.supylabel("validation DC", fontsize=9.5, color=GREY)
        drawn.suptitle(_title(run), fontsize=10, fontweight="bold", x=0.01, ha="left")
    return True


def _curves(run: Run) -> Curves:
    if "dice" not in run.history:
        return {}
    validations = run.history[run.history["kind"] == "validation"]
    finished = set(run.cells.loc[run.cells["status"] == FINISHED, "cell"])
    done = validations["cell"].isin(finished)
    of = {method: validations["method"] == method for method in run.methods}
    return {m: (validations[of[m] & done], validations[of[m] & ~done]) for m in run.methods if of[m].any()}


def _draw(axes: Axes, curves: Curves, method: str, look: Look, name: str = "", *, behind: bool = False) -> None:
    """One method; `behind` the others: a thin line of its mean and nothing else."""
    whole, broken = curves[method]
    steps = whole.groupby("step", sort=True)["dice"]
    mean = steps.mean()
    style: dict[str, Any] = {"color": look.colour, "linestyle": look.line}
    axes.plot(mean.index, mean, **style, linewidth=0.8 if behind else 1.8, marker="o" if len(mean) == 1 else None)
    if behind:
        return
    if name:
        axes.plot([], [], **style, linewidth=1.8, label=name)
    if len(set(whole["cell"])) > 1:
        axes.fill_between(mean.index, steps.min(), steps.max(), color=look.colour, alpha=0.15, linewidth=0)
    for _, cell in broken.groupby("cell", sort=False):
        axes.plot(cell["step"], cell["dice"], **style, linewidth=0.9)
        axes.plot(cell["step"].iloc[-1:], cell["dice"].iloc[-1:], "x", color=look.colour, markersize=6)


def _finish(axes: Axes) -> None:
    axes.set_xlabel("step")
    axes.set_ylabel("validation DC")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.02)


def _title(run: Run) -> str:
    cells = run.cells.groupby("method")["cell"].count().max()
    band = "mean and range over a row's cells" if cells > 1 else "one cell per row"
    ended = ", × ended early" if (~run.cells["status"].isin([FINISHED, "planned"])).any() else ""
    return f"Validation DC while training ({band}{ended})"
