"""A slice of a mask and its target maps, as in figure 2 of Li et al. 2021."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report.plots.style import WIDTH, figure, label
from losses import target_maps

MARGIN = 6
"""Voxels that are shown around the lesions of the slice."""
_COLUMNS = 3
_MASK_COLOUR = (0.84, 0.37, 0.0)


@dataclass(frozen=True)
class MapCase:
    """A mask (*S), 2D or 3D, and the image below it if there is one."""

    title: str
    mask: npt.NDArray[np.bool_]
    spacing_mm: tuple[float, ...]
    image: npt.NDArray[Any] | None


def draw_target_maps(case: MapCase, kinds: Sequence[str] | None, path: Path) -> None:
    """Draw the mask and its maps (all kinds by default) in the slice of largest target area.

    Maps are those of the whole volume, in voxels. Raises `LossError` for an unknown kind.
    """
    kinds = target_maps.available() if kinds is None else kinds
    known = [target_maps.describe(kind) for kind in kinds]
    mask = np.atleast_3d(case.mask.T).T  # (1, H, W) for a 2D mask
    index = int(mask.sum((1, 2)).argmax())
    rows, columns = _window(mask[index])
    aspect = case.spacing_mm[-2] / case.spacing_mm[-1]
    panels = 1 + len(known)
    height = WIDTH / _COLUMNS * 0.78 * aspect * (rows.stop - rows.start) / (columns.stop - columns.start)
    lines = math.ceil(panels / _COLUMNS)
    with figure(path, WIDTH, min(lines * (height + 0.45), 2 * WIDTH) + 0.5) as drawn:
        drawn.suptitle(_title(case, index), fontsize=10, fontweight="bold", x=0.01, ha="left")
        grid = drawn.subplots(lines, _COLUMNS, squeeze=False).ravel()
        for axes in grid:
            axes.set_axis_off()
        _draw_mask(grid[0], case, mask[index], index, (rows, columns), aspect)
        for axes, kind in zip(grid[1:], known, strict=False):
            values = target_maps.compute(kind.name, case.mask)
            values = values if values.ndim == 2 else values[index]
            _draw_map(drawn, axes, kind, values[rows, columns], aspect)
            _outline(axes, mask[index][rows, columns])


def _title(case: MapCase, index: int) -> str:
    place = f", slice {index}" if case.mask.ndim == 3 else ""
    return label(f"{case.title}{place}: maps of the whole volume, in voxels", 100)


def _window(mask: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    """The box of the lesions of a slice with a margin."""
    spans = []
    for axis in (0, 1):
        filled = np.flatnonzero(mask.any(1 - axis))
        low, high = (int(filled[0]), int(filled[-1])) if len(filled) else (0, mask.shape[axis] - 1)
        spans.append(slice(max(low - MARGIN, 0), min(high + MARGIN + 1, mask.shape[axis])))
    return spans[0], spans[1]


def _draw_mask(
    axes: Axes, case: MapCase, mask: npt.NDArray[np.bool_], index: int, window: tuple[slice, slice], aspect: float
) -> None:
    if case.image is not None:
        image = case.image if case.image.ndim == 2 else case.image[index]
        low, high = np.percentile(image[window], (0.5, 99.5))
        axes.imshow(image[window], cmap="gray", vmin=low, vmax=high, aspect=aspect, interpolation="nearest")
    overlay = np.zeros((*mask[window].shape, 4))
    overlay[mask[window]] = (*_MASK_COLOUR, 0.6 if case.image is not None else 1.0)
    axes.imshow(overlay, aspect=aspect, interpolation="nearest")
    axes.set_title("mask", fontsize=8.5)


def _draw_map(
    drawn: Figure, axes: Axes, kind: target_maps.MapDescription, values: npt.NDArray[Any], aspect: float
) -> None:
    style: dict[str, Any] = {"cmap": "viridis", "vmin": 0}
    if kind.signed:
        # Red is always inside, whichever sign the kind gives it.
        bound = float(np.abs(values).max()) or 1.0
        style = {"cmap": "RdBu" if kind.name == "signed_distance" else "RdBu_r", "vmin": -bound, "vmax": bound}
    elif kind.numbers:
        values = np.ma.masked_equal(values, 0)
        style = {"cmap": "tab20", "vmin": 0.5, "vmax": 20.5}
        values = np.ma.masked_array((values.data - 1) % 20 + 1, values.mask)
    shown = axes.imshow(values, aspect=aspect, interpolation="nearest", **style)
    axes.set_title(label(kind.name, 30), fontsize=8.5)
    if not kind.numbers:
        drawn.colorbar(shown, ax=axes, shrink=0.85).ax.tick_params(labelsize=7)


def _outline(axes: Axes, mask: npt.NDArray[np.bool_]) -> None:
    """A line along the edges of the pixels."""
    height, width = mask.shape
    fine = np.kron(mask, np.ones((8, 8)))
    extent = (-0.5, width - 0.5, -0.5, height - 0.5)
    axes.contour(fine, levels=[0.5], colors="black", linewidths=0.8, extent=extent)
