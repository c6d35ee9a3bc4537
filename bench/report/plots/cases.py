"""plots/dice_by_case.png: the DC of every test case by method, with quartiles and mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from bench.report.plots.style import GREY, WIDTH, Look, figure, label, looks, tallest, wrapped_label
from bench.results.load import Run

_GOLDEN = 0.6180339887498949
_ROW, _GAP = 0.36, 0.15
"""Inches: least height of a row, and what lies between two names."""
_POINT_AREA = 9.0
"""Square points of a dot, less where there are so many cases that dots of this size would hide each other."""
_ROOM = 900.0
"""Square points that the dots of one row may cover together."""


def draw_cases(run: Run, dataset: str, path: Path) -> bool:
    """Draw the cases with target at the best checkpoint, each averaged over its cells; False when there is none."""
    records = run.cases[(run.cases["dataset"] == dataset) & (run.cases["block"] == "best")]
    if records.empty or not (records["reference_voxels"] > 0).any():
        return False
    records = records[records["reference_voxels"] > 0]
    methods = list(run.methods)
    classes = [target for target in run.classes if (records["class"] == target).any()]
    width = max(WIDTH, 3.0 * len(classes) + 2)
    names = [wrapped_label(run.methods[method]) for method in methods]
    row = max(_ROW, _GAP + tallest(names))
    with figure(path, width, 0.95 + row * len(methods)) as drawn:
        panels = drawn.subplots(1, len(classes), sharey=True, squeeze=False)[0]
        for axes, target in zip(panels, classes, strict=True):
            chosen = records[records["class"] == target]
            _panel(axes, run, chosen, looks(methods))
            count = chosen["case"].nunique()
            alone = f"{count} test cases with target"
            axes.set_title(alone if len(run.classes) == 1 else label(f"{target}: {count} test cases", 24))
        panels[0].set_yticks(range(len(methods)), names, color="black")
        note = "DC per case (dot), quartiles and median (box), mean (diamond)"
        drawn.supxlabel(note, fontsize=9.5, color=GREY)
    return True


def _panel(axes: Axes, run: Run, records: pd.DataFrame, style: dict[str, Look]) -> None:
    per_case = records.groupby(["method", "case"], sort=False)["dice"].mean().reset_index()
    for place, method in enumerate(run.methods):
        mine = per_case[per_case["method"] == method]
        if mine.empty:
            axes.text(0.01, place, "no finished cell", va="center", color=GREY, fontsize=8.5)
        else:
            _box(axes, mine, list(run.methods), style[method].colour)
            _dots(axes, mine["dice"], place, style[method].colour)
    axes.set_ylim(len(run.methods) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(axis="y", length=0)


def _box(axes: Axes, per_case: pd.DataFrame, methods: list[str], colour: str) -> None:
    """Quartiles, median and mean of one method, without whiskers: the dots show the rest."""
    sns.boxplot(
        per_case,
        x="dice",
        y="method",
        order=methods,
        ax=axes,
        width=0.62,
        whis=0,
        showfliers=False,
        showcaps=False,
        showmeans=True,
        boxprops={"facecolor": (colour, 0.18), "edgecolor": colour, "linewidth": 1.0},
        medianprops={"color": colour, "linewidth": 1.8},
        meanprops={"marker": "D", "markersize": 5.8, "markerfacecolor": "white", "markeredgecolor": GREY, "zorder": 5},
    )


def _dots(axes: Axes, dice: pd.Series[float], place: int, colour: str) -> None:
    """One dot per case, spread evenly: seaborn's strips are random, and its swarms take seconds for many cases."""
    spread = (np.arange(len(dice)) * _GOLDEN % 1 - 0.5) * 0.44
    area = min(_POINT_AREA, _ROOM / len(dice))
    axes.scatter(np.sort(dice), place + spread, s=area, color=colour, alpha=0.75, linewidths=0, zorder=3)
