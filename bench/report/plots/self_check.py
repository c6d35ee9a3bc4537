"""The self-check of a loss as one picture, and that of many losses as a table of colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import SubFigure
from matplotlib.patches import Patch

from bench.report.plots.style import GREY, LIGHT, WIDTH, figure, label
from losses.self_check.pictures import LEGEND
from losses.self_check.report import PROBES, SelfCheck

STATES = {".": "#f2f2f2", "#": "#56b4e9", "o": "#f0e442", "x": "#d81b60", "?": "#999999"}
VERDICTS = {"ok": "#009e73", "look": "#e69f00", "broken": "#d81b60"}
_PANELS = (2.7, 2.2, 1.5)
_LINE, _CHARACTERS = 0.135, 122
"""Inches of the rows of panels and of a line below them, and its length."""
_BARS = ("#0072b2", "#56b4e9", LIGHT)
_HARD_LIMIT = 50.0
"""Values this many times the usual range away are not drawn: one pole would flatten everything else."""


def draw_self_check(check: SelfCheck, path: Path) -> None:
    """Draw where descents end, values of uniform predictions and of all masks, gradient shares, and every verdict."""
    data = {key: finding.data for key, finding in check.findings.items()}
    lines = _verdict_lines(check)
    text_height = _LINE * len(lines) + 0.35
    with figure(path, WIDTH, sum(_PANELS) + text_height) as drawn:
        parts = drawn.subfigures(4, 1, height_ratios=(*_PANELS, text_height), squeeze=False)[:, 0]
        slices, curves, bars, text = parts
        given = ", ".join(f"{key} = {value}" for key, value in check.parameters.items())
        drawn.suptitle(label(f"{check.name}({given})", 90), fontsize=10.5, fontweight="bold", x=0.01, ha="left")
        runs = data["descent"].get("scenes", [])
        _slices(slices, runs)
        uniform, masks, progress = curves.subplots(1, 3)
        _uniform(uniform, data["lowest"].get("uniform", {}))
        _masks(masks, data["enumeration"])
        _progress(progress, runs)
        shares, costs = bars.subplots(1, 2)
        _stack(shares, data["shares"])
        _costs(costs, data["shares"].get("costs", {}))
        _verdicts(text, lines, text_height)


def draw_overview(checks: Sequence[SelfCheck], path: Path) -> None:
    """One row per loss and one column per probe, coloured by verdict."""
    marks = list(VERDICTS)
    table = np.array([[marks.index(check.findings[probe].outcome) for probe in PROBES] for check in checks])
    with figure(path, WIDTH, 1.4 + 0.24 * len(checks)) as drawn:
        axes = drawn.add_subplot()
        axes.imshow(table, cmap=ListedColormap(list(VERDICTS.values())), vmin=-0.5, vmax=2.5, aspect="auto")
        axes.set_yticks(range(len(checks)), [label(check.name) for check in checks], fontsize=8)
        axes.set_xticks(range(len(PROBES)), [probe.replace("_", " ") for probe in PROBES], rotation=35, ha="right")
        axes.tick_params(labelsize=8, length=0)
        axes.set_xticks(np.arange(len(PROBES) + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(len(checks) + 1) - 0.5, minor=True)
        axes.grid(visible=False)
        axes.grid(which="minor", color="white", linewidth=2)
        axes.tick_params(which="minor", length=0)
        axes.set_title("Self-check of losses")
        patches = [Patch(color=colour, label=mark) for mark, colour in VERDICTS.items()]
        drawn.legend(handles=patches, loc="outside lower center", ncols=3, fontsize=8)


def _slices(place: SubFigure, runs: Sequence[Mapping[str, Any]]) -> None:
    """Where each descent ends, in its most telling slice."""
    marks = list(STATES)
    panels = place.subplots(1, max(len(runs), 1), squeeze=False)[0]
    for axes, run in zip(panels, runs, strict=False):
        cells = [[marks.index(mark) for mark in row] for row in run["slice"]]
        colours = ListedColormap(list(STATES.values()))
        axes.imshow(cells, cmap=colours, vmin=-0.5, vmax=len(marks) - 0.5, interpolation="nearest")
        undecided = run["undecided_lesion"] + run["undecided_background"]
        wrong = {"missed": run["missed"], "false": run["false"], "undecided": undecided}
        text = ", ".join(f"{count} {what}" for what, count in wrong.items() if count)
        text = text or f"mask reached, step {run['settled_after']}"
        axes.set_title(f"{label(run['scene'])}\n{text}", fontsize=8.5)
    for axes in panels:
        axes.set_axis_off()
    handles = [Patch(color=colour, label=LEGEND[mark]) for mark, colour in STATES.items()]
    place.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=7.5)


def _uniform(axes: Axes, curves: Mapping[str, Sequence[float]]) -> None:
    for (title, values), colour in zip(curves.items(), _BARS, strict=False):
        p = np.linspace(0, 1, len(values))
        axes.plot(p, _cut(values), color=colour, label=label(title))
    _name_axes(axes, "p everywhere")
    axes.set_title("Uniform predictions", fontsize=8.5)
    if curves:
        axes.legend(fontsize=6.5)


def _name_axes(axes: Axes, x: str) -> None:
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel("loss", fontsize=8)
    axes.tick_params(labelsize=7)


def _cut(values: Sequence[float]) -> Any:
    """Values far beyond most others are left out."""
    array = np.asarray(values, float)
    finite = array[np.isfinite(array)]
    low, high = np.percentile(finite, (5, 95)) if len(finite) else (0.0, 1.0)
    room = _HARD_LIMIT * max(high - low, 1e-9)
    return np.where((array < low - room) | (array > high + room), np.nan, array)


def _masks(axes: Axes, data: Mapping[str, Any]) -> None:
    bands = np.array(data.get("values_by_wrong_voxels", []), float)
    if len(bands):
        steps = np.arange(len(bands))
        axes.fill_between(steps, bands[:, 0], bands[:, 2], color=_BARS[1], alpha=0.45, linewidth=0, label="all masks")
        axes.plot(steps, bands[:, 1], color=_BARS[0], label="median")
        axes.axhline(data["value_at_truth"], color=GREY, linestyle=":", linewidth=1, label="truth")
        axes.legend(fontsize=6.5)
    _name_axes(axes, "wrong voxels of 12")
    axes.set_title("All 4096 masks of 12 voxels", fontsize=8.5)


def _progress(axes: Axes, runs: Sequence[Mapping[str, Any]]) -> None:
    for run, colour in zip(runs, ("#0072b2", "#d55e00", "#009e73"), strict=False):
        steps = np.arange(len(run["values"])) * run["values_every"]
        axes.plot(steps, _cut(run["values"]), color=colour, label=label(run["scene"]), linewidth=1.3)
    _name_axes(axes, "step")
    axes.set_title("Descent from p = .5", fontsize=8.5)
    if runs:
        axes.legend(fontsize=6.5)


def _stack(axes: Axes, data: Mapping[str, Any]) -> None:
    """Two bars of shares: at .5 by lesion, at the half-right prediction between missed and false voxels."""
    bars = {"p = .5": data.get("at_half", {}), "missed = false": _errors(data.get("half_right", {}))}
    for row, parts in enumerate(bars.values()):
        left = 0.0
        for (name, part), colour in zip(parts.items(), _BARS, strict=False):
            share = part["share"]
            axes.barh(row, share, left=left, color=colour, height=0.6)
            if share > 0.12:
                text = f"{name.removesuffix(' lesion')} {100 * share:.0f} %"
                ink = "white" if colour == _BARS[0] else "black"
                axes.text(left + share / 2, row, text, ha="center", va="center", fontsize=6.8, color=ink)
            left += share
    axes.set_yticks(range(len(bars)), list(bars), fontsize=7.5)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.tick_params(labelsize=7)
    axes.set_title("Shares of the gradient", fontsize=8.5)
    axes.grid(visible=False)


def _errors(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Missed and false voxels alone, of which there are as many: what is right would hide both."""
    errors = {name: parts[name] for name in ("missed", "false") if name in parts}
    total = sum(part["share"] for part in errors.values())
    return {name: {"share": part["share"] / total} for name, part in errors.items()} if total else {}


def _costs(axes: Axes, costs: Mapping[str, float]) -> None:
    names = {key: key.replace("_", " ") for key in costs}
    axes.barh(list(names.values()), list(costs.values()), color=_BARS[0], height=0.6)
    for row, value in enumerate(costs.values()):
        text = f"{value:.3g}".replace("-", "−")
        axes.annotate(text, (max(value, 0), row), xytext=(3, 0), textcoords="offset points", va="center", fontsize=7)
    axes.margins(x=0.15)
    axes.invert_yaxis()
    axes.tick_params(labelsize=7.5)
    axes.set_title("What whole errors cost (hard masks)", fontsize=8.5)


def _verdict_lines(check: SelfCheck) -> Sequence[tuple[str, str, str]]:
    """Verdict, probe and sentence; the first two are empty where a sentence goes on."""
    lines: list[tuple[str, str, str]] = []
    for finding in check.findings.values():
        first: tuple[str, str] = (finding.outcome, finding.probe.replace("_", " "))
        for text in finding.says:
            for part in wrap(text, _CHARACTERS):
                lines.append((*first, part))
                first = ("", "")
    return lines


def _verdicts(place: SubFigure, lines: Sequence[tuple[str, str, str]], height: float) -> None:
    for number, (outcome, probe, text) in enumerate(lines):
        y = 1 - (0.1 + _LINE * number) / height
        style: dict[str, Any] = {"fontsize": 7, "va": "top", "in_layout": False}
        place.text(0.01, y, outcome, color=VERDICTS.get(outcome, GREY), fontweight="bold", **style)
        place.text(0.075, y, probe, **style)
        place.text(0.2, y, label(text, _CHARACTERS), color=GREY, **style)
