"""plots/dice_by_case.png: the DC of every test case by method, with quartiles and mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from bench.report.plots.style import GREY, WIDTH, Look, figure, label, looks
from bench.results.load import Run

_GOLDEN = 0.6180339887498949


def draw_cases(run: Run, dataset: str, path: Path) -> bool:
    """Draw the cases with target at the best checkpoint, each averaged over its cells; False when there is none."""
    records = run.cases[(run.cases["dataset"] == dataset) & (run.cases["block"] == "best")]
    if records.empty or not (records["reference_voxels"] > 0).any():
        return False
    records = records[records["reference_voxels"] > 0]
    methods = list(run.methods)
    classes = [target for target in run.classes if (records["class"] == target).any()]
    width = max(WIDTH, 3.0 * len(classes) + 2)
    with figure(path, width, 0.95 + 0.36 * len(methods)) as drawn:
        panels = drawn.subplots(1, len(classes), sharey=True, squeeze=False)[0]
        for axes, target in zip(panels, classes, strict=True):
            chosen = records[records["class"] == target]
            _panel(axes, run, chosen, looks(methods))
            name = "" if len(run.classes) == 1 else f"{target}: "
            axes.set_title(f"{label(name)}{chosen['case'].nunique()} test cases with target")
        panels[0].set_yticks(range(len(methods)), [label(run.methods[method]) for method in methods], color="black")
    return True


def _panel(axes: Axes, run: Run, records: pd.DataFrame, style: dict[str, Look]) -> None:
    per_case = records.groupby(["method", "case"], sort=False)["dice"].mean()
    for place, method in enumerate(run.methods):
        if method in per_case.index:
            _method(axes, place, per_case.loc[method].to_numpy(), style[method])
        else:
            axes.text(0.01, place, "no finished cell", va="center", color=GREY, fontsize=8.5)
    axes.set_ylim(len(run.methods) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("DC per case (dot), quartiles and median (box), mean (diamond)")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def _method(axes: Axes, place: int, dice: npt.NDArray[np.float64], look: Look) -> None:
    first, middle, third = np.percentile(dice, (25, 50, 75))
    axes.barh(place, third - first, left=first, height=0.62, facecolor=(look.colour, 0.18), edgecolor=look.colour)
    axes.plot([middle, middle], [place - 0.31, place + 0.31], color=look.colour, linewidth=1.8, solid_capstyle="butt")
    # Spread evenly instead of at random: the same records give the same picture.
    jitter = (np.arange(len(dice)) * _GOLDEN % 1 - 0.5) * 0.44
    axes.scatter(np.sort(dice), place + jitter, s=9, color=look.colour, alpha=0.75, linewidths=0, zorder=3)
    axes.scatter([dice.mean()], [place], s=34, marker="D", color="white", edgecolors=GREY, linewidths=1.2, zorder=4)
