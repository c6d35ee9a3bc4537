"""plots/examples.png: slices of two test cases, one with a large and one with a small lesion, as each method sees them.

The cases are chosen by the size of their largest lesion alone, never by a result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from bench.data.orientation import as_read
from bench.data.preview import Preview, read_preview
from bench.data.reading import read_labels
from bench.data.volume import Geometry
from bench.evaluation.lesions import LESION
from bench.report.markdown import plain
from bench.report.plots.style import WIDTH, figure, label
from bench.results.load import MAIN, Run

COLUMNS = 6
"""At most; fewer where that fills the rows better."""

_COLOURS = {"found": "#56b4e9", "missed": "#f0e442", "false": "#d81b60"}
_LEGEND = {"found": "found", "missed": "missed", "false": "false positive"}
_OPACITY = 0.65

Slice = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Example:
    """One slice: image and reference (H, W), and per method its mask and the DC of the whole case."""

    title: tuple[str, ...]
    image: Slice
    reference: Labels
    predictions: dict[str, tuple[Labels, float]]
    aspect: float


def draw_examples(run: Run, path: Path) -> bool:
    """Draw the examples; False when no case is scored yet, or the slices or all masks were removed.

    Raises:
        DataError: the slices of a case, or a mask, are not what was written.
    """
    examples = [example for name, case in _chosen(run).items() if (example := _example(run, name, case))]
    if not examples:
        return False
    panels = 2 + max(len(example.predictions) for example in examples)
    rows = math.ceil(panels / COLUMNS)
    columns = max(math.ceil(panels / rows), 3)
    height = sum(rows * (0.92 * WIDTH / columns * _height(example) + 0.48) for example in examples)
    with figure(path, WIDTH, height + 0.6) as drawn:
        title = "Test cases chosen by lesion size; slice of largest target area; first finished cell of each method\n"
        drawn.suptitle(title, fontsize=10, fontweight="bold", x=0.01, ha="left")
        parts = drawn.subfigures(len(examples), 1, squeeze=False)[:, 0]
        for part, example in zip(parts, examples, strict=True):
            grid = part.subplots(rows, columns, squeeze=False).ravel()
            _draw(grid, run, example, 90 // columns)
        patches = [Patch(color=_COLOURS[key], label=text) for key, text in _LEGEND.items()]
        drawn.legend(handles=patches, loc="outside lower center", ncols=len(patches))
    return True


def _chosen(run: Run) -> dict[str, str]:
    """The case whose largest lesion is the largest, and the one whose largest lesion is the smallest."""
    lesions = run.lesions[(run.lesions["dataset"] == MAIN) & (run.lesions["kind"] == LESION)]
    if lesions.empty:
        return {}
    largest = lesions.groupby("case", sort=False)["volume_mm3"].max()
    large, small = str(largest.idxmax()), str(largest.idxmin())
    return {"large lesion": large} if large == small else {"large lesion": large, "small lesion": small}


def _example(run: Run, name: str, case: str) -> Example | None:
    kept = _slices(run, case)
    if kept is None:
        return None
    preview, native = kept
    predictions = {}
    for method in run.methods:
        found = _prediction(run, method, case)
        if found is not None:
            mask, dice = as_read(found[0], native), found[1]
            volume = mask if mask.ndim == 3 else mask[np.newaxis]
            (top, bottom), (left, right) = preview.box
            predictions[method] = (volume[preview.index[0], top:bottom, left:right], dice)
    if not predictions:
        return None
    flips = _flips(native.direction)
    return Example(
        title=(name, f"case {case}"),
        image=preview.image[0][flips],
        reference=preview.labels[0][flips],
        predictions={method: (mask[flips], dice) for method, (mask, dice) in predictions.items()},
        aspect=native.spacing_mm[-2] / native.spacing_mm[-1],
    )


def _slices(run: Run, case: str) -> tuple[Preview, Geometry] | None:
    for job in run.description["plan"]["prepare"]:
        path = run.directory.preview(job["id"])
        if job["dataset"] == MAIN and str(job["case"]) == case and path.is_file():
            return read_preview(path)
    return None


def _prediction(run: Run, method: str, case: str) -> tuple[Labels, float] | None:
    """The mask of the method's first finished cell that was scored on the case, with its DC (mean over classes)."""
    scores = run.cases[
        (run.cases["method"] == method)
        & (run.cases["case"] == case)
        & (run.cases["dataset"] == MAIN)
        & (run.cases["block"] == "best")
    ]
    if scores.empty:
        return None
    cell = str(scores["cell"].iloc[0])
    path = run.directory.cell(cell) / "predictions" / MAIN / "best" / f"{case}.nii.gz"
    if not path.exists():  # a copy of a run may leave its masks behind
        return None
    labels, _ = read_labels(case, path)
    return labels.astype(np.int8), float(scores.loc[scores["cell"] == cell, "dice"].mean())


def _flips(direction: Sequence[float]) -> tuple[slice, slice]:
    """Turn rows and columns so that a scan is seen the usual way, whichever way its file runs."""
    axes = math.isqrt(len(direction))
    row, column = direction[axes + 1], direction[0]
    return tuple(slice(None, None, -1 if cosine < 0 else 1) for cosine in (row, column))  # type: ignore[return-value]


def _height(example: Example) -> float:
    """Height of the slice over its width, in millimetres."""
    rows, columns = example.image.shape
    return float(rows * example.aspect / columns)


def _draw(panels: Sequence[Axes], run: Run, example: Example, characters: int) -> None:
    """Image, reference and one panel per method; titles are as wide as a panel."""
    for axes in panels:
        axes.set_axis_off()
    _show(panels[0], example, None, example.title, characters)
    _show(panels[1], example, example.reference, ("reference",), characters)
    for axes, (method, (mask, dice)) in zip(panels[2:], example.predictions.items(), strict=False):
        _show(axes, example, mask, (run.methods[method], f"case DC {dice:.2f}"), characters)


def _show(axes: Axes, example: Example, mask: Labels | None, title: tuple[str, ...], characters: int) -> None:
    axes.imshow(example.image, cmap="gray", vmin=0, vmax=255, aspect=example.aspect, interpolation="nearest")
    if mask is not None:
        axes.imshow(_overlay(example.reference, mask), aspect=example.aspect, interpolation="nearest")
    name, *rest = (wrap(plain(line), characters, max_lines=2, placeholder=" …") for line in title)
    lines = [*name, *(part for lines in rest for part in lines)]
    axes.set_title("\n".join(label(line, characters) for line in lines), fontsize=7.5, fontweight="normal")


def _overlay(reference: Labels, mask: Labels) -> npt.NDArray[np.float64]:
    """(H, W, 4): agreement voxel by voxel; a voxel of another class than the reference's counts as missed."""
    found = (mask == reference) & (reference > 0)
    missed = (reference > 0) & ~found
    layers = {"found": found, "missed": missed, "false": (mask > 0) & (reference <= 0)}
    colours = np.zeros((*reference.shape, 4))
    for name, where in layers.items():
        red, green, blue = (int(_COLOURS[name][i : i + 2], 16) / 255 for i in (1, 3, 5))
        colours[where] = (red, green, blue, _OPACITY)
    return colours
