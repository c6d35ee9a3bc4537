"""plots/validation_dice.png: validation DC over the steps, one line per method, a band over its cells."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from bench.report.plots.style import GREY, LIGHT, WIDTH, Look, figure, looks, tallest, wrapped_label
from bench.results.load import FINISHED, Run

ONE_PANEL = 6
"""Up to this many methods share one panel; more get a panel each, with the others in grey behind."""
_MARKED = 30
"""Up to this many validations are marked by a point each."""

_MEAN_AND_RANGE: dict[str, Any] = {"errorbar": ("pi", 100), "err_kws": {"alpha": 0.15, "linewidth": 0}}


def draw_validation(run: Run, path: Path) -> bool:
    """Draw the curves; False when nothing has been validated yet."""
    validations = _validations(run)
    methods = [method for method in run.methods if (validations["method"] == method).any()]
    if not methods:
        return False
    style = looks(list(run.methods))
    if len(methods) <= ONE_PANEL:
        with figure(path, WIDTH, 4.2) as drawn:
            axes = drawn.add_subplot()
            for method in methods:
                _draw(axes, validations, method, style[method], wrapped_label(run.methods[method], 26))
            _finish(axes, validations)
            axes.set(title=_title(run), xlabel="step", ylabel="validation DC")
            axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), borderaxespad=0)
        return True
    columns = 3 if len(methods) <= 9 else 4
    rows = math.ceil(len(methods) / columns)
    titles = [wrapped_label(run.methods[method], 90 // columns) for method in methods]
    with figure(path, WIDTH, 0.5 + (1.6 + tallest(titles)) * rows) as drawn:
        panels = drawn.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for place, (axes, method) in enumerate(zip(panels, methods, strict=False)):
            _draw_means(axes, validations)
            _draw(axes, validations, method, style[method])
            axes.set(xlabel="", ylabel="")
            axes.set_title(titles[place], fontsize=8.5)
            axes.tick_params(labelbottom=place + columns >= len(methods))
        _finish(panels[0], validations)
        for axes in panels[len(methods) :]:
            axes.set_axis_off()
        drawn.supxlabel("step", fontsize=9.5, color=GREY)
        drawn.supylabel("validation DC", fontsize=9.5, color=GREY)
        drawn.suptitle(_title(run), fontsize=10, fontweight="bold", x=0.01, ha="left")
    return True


def _validations(run: Run) -> pd.DataFrame:
    """method, cell, step, dice of every validation, and whether its cell is `finished`."""
    history = run.history.reindex(columns=["kind", "method", "cell", "step", "dice"])
    finished = set(run.cells.loc[run.cells["status"] == FINISHED, "cell"])
    return history[history["kind"] == "validation"].assign(finished=lambda frame: frame["cell"].isin(finished))


def _draw(axes: Axes, validations: pd.DataFrame, method: str, look: Look, name: str = "") -> None:
    """One method: the mean over its finished cells with their range, and each cell that ended early by itself."""
    mine = validations[validations["method"] == method]
    whole, broken = mine[mine["finished"]], mine[~mine["finished"]]
    marker = {"marker": "o", "markersize": 4.5} if mine["step"].nunique() <= _MARKED else {}
    style: dict[str, Any] = {"color": look.colour, "linestyle": look.line}
    sns.lineplot(whole, x="step", y="dice", ax=axes, **style, **marker, **_MEAN_AND_RANGE, linewidth=1.8)
    for _, cell in broken.groupby("cell", sort=False):
        axes.plot(cell["step"], cell["dice"], **style, linewidth=0.9, marker="x", markersize=6, markevery=[-1])
    axes.plot([], [], **style, linewidth=1.8, label=name or None)


def _draw_means(axes: Axes, validations: pd.DataFrame) -> None:
    """Thin grey lines of all methods, for comparison."""
    means = validations[validations["finished"]].pivot_table(index="step", columns="method", values="dice")
    axes.plot(means.index, means, color=LIGHT, linewidth=0.8)


def _finish(axes: Axes, validations: pd.DataFrame) -> None:
    axes.set_xlim(0, 1.03 * validations["step"].max())
    axes.set_ylim(bottom=0)


def _title(run: Run) -> str:
    cells = run.cells.groupby("method")["cell"].count().max()
    band = "mean and range over a row's cells" if cells > 1 else "one cell per row"
    ended = ", × ended early" if (~run.cells["status"].isin([FINISHED, "planned"])).any() else ""
    return f"Validation DC while training ({band}{ended})"
