"""The largest and the smallest lesion of the test set, each in one slice, with what every method predicted there.

Lesions are chosen by their size alone, never by a result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.data.geometry import Box
from bench.data.orientation import as_read
from bench.data.preview import Preview, read_preview
from bench.data.reading import read_labels
from bench.data.volume import Geometry
from bench.evaluation.lesions import equivalent_diameter
from bench.results.load import FINISHED, MAIN, PLANNED, Run

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Outcome:
    """What a method made of the case: its mask in the slice (H, W), the DC of the whole case, or why there is none."""

    mask: Mask | None = None
    dice: float | None = None
    note: str = ""


@dataclass(frozen=True)
class View:
    """A lesion in a slice.

    title       which lesion, how large, and which slice.
    image       (H, W) grey levels, the scan as it is usually seen.
    reference   (H, W) of the lesion's class, as are the masks.
    lesion      rows and columns of the lesion; those of all target where the lesion's own slice was not kept.
    spacing_mm  of rows and columns.
    outcomes    by method, in the order of the suite.
    """

    title: tuple[str, str]
    image: npt.NDArray[np.uint8]
    reference: Mask
    lesion: Box
    spacing_mm: tuple[float, float]
    outcomes: dict[str, Outcome]


class _Lesion(NamedTuple):
    case: str
    target: str
    volume_mm3: float


def lesion_views(run: Run) -> list[View]:
    """The views that there are slices and at least one mask for; none without a lesion in the test cases scored so far.

    Raises:
        DataError: the slices of a case, or a mask, are not what was written.
    """
    lesions = run.reference_lesions[run.reference_lesions["dataset"] == MAIN]
    if lesions.empty:
        return []
    # Every cell has a row for each lesion of its cases.
    lesions = lesions[lesions["cell"] == lesions.groupby("case")["cell"].transform("first")]
    lesions = lesions[lesions["block"] == "best"]
    rows = zip(lesions["case"], lesions["class"], lesions["volume_mm3"], strict=True)
    found = [_Lesion(str(case), str(target), float(volume)) for case, target, volume in rows]
    largest, smallest = (extreme(found, key=lambda one: one.volume_mm3) for extreme in (max, min))
    names = {f"Largest of {len(found):,} lesions": largest, f"Smallest of {len(found):,} lesions": smallest}
    if len(found) == 1:
        names = {"The only lesion": largest}
    views = []
    for name, lesion in names.items():
        kept = _slices(run, lesion.case)
        if kept is not None:
            views.append(_view(run, name, lesion, *kept))
    drawable = any(outcome.mask is not None for view in views for outcome in view.outcomes.values())
    return views if drawable else []


def _slices(run: Run, case: str) -> tuple[Preview, Geometry] | None:
    for job in run.description["plan"]["prepare"]:
        path = run.directory.preview(job["id"])
        if job["dataset"] == MAIN and str(job["case"]) == case and path.is_file():
            return read_preview(path)
    return None


def _view(run: Run, name: str, lesion: _Lesion, preview: Preview, native: Geometry) -> View:
    case, target, volume = lesion
    number = run.classes.index(target) + 1
    voxels = round(volume / math.prod(native.spacing_mm))
    own = [one for one in preview.lesions if (one.number, one.voxels) == (number, voxels)]
    place = own[0].place if own else 0
    reference = preview.labels[place] == number
    box = own[0].box if own else _extent(reference)
    axes = len(native.shape)
    kind = "" if len(run.classes) == 1 else f" ({target})"
    size = f"{equivalent_diameter(volume, axes):.1f} mm, {_amount(volume)} {'mm²' if axes == 2 else 'mm³'}"
    slice_words = "" if axes == 2 else ", the slice in which it is largest"
    if not own:
        slice_words = ", the slice with most target: the lesion's own was not kept"
    turned = _flips(native.direction)
    outcomes = {method: _outcome(run, method, case, target, preview, native, place) for method in run.methods}
    return View(
        title=(f"{name}{kind}: equivalent diameter {size}", f"case {case}{slice_words}"),
        image=preview.image[place][turned],
        reference=reference[turned],
        lesion=tuple(
            (n - stop, n - first) if step.step == -1 else (first, stop)
            for (first, stop), n, step in zip(box, reference.shape, turned, strict=True)
        ),
        spacing_mm=(native.spacing_mm[-2], native.spacing_mm[-1]),
        outcomes={
            method: Outcome(None if one.mask is None else one.mask[turned], one.dice, one.note)
            for method, one in outcomes.items()
        },
    )


def _outcome(run: Run, method: str, case: str, target: str, preview: Preview, native: Geometry, place: int) -> Outcome:
    """The mask of the method's first finished cell that was scored on the case, with its DC for the lesion's class."""
    scores = run.cases
    chosen = (scores["method"] == method) & (scores["case"] == case) & (scores["class"] == target)
    scores = scores[chosen & (scores["dataset"] == MAIN) & (scores["block"] == "best")]
    if scores.empty:
        return Outcome(note=_unfinished(run, method))
    cell, dice = str(scores["cell"].iloc[0]), float(scores["dice"].iloc[0])
    path = run.directory.cell(cell) / "predictions" / MAIN / "best" / f"{case}.nii.gz"
    if not path.exists():  # a copy of a run may leave its masks behind
        return Outcome(dice=dice, note="its mask was not kept")
    mask = _mask(case, path, native) == run.classes.index(target) + 1
    (top, bottom), (left, right) = preview.box
    shown = mask[preview.index[place], top:bottom, left:right]
    return Outcome(shown, dice)


def _mask(case: str, path: Path, native: Geometry) -> npt.NDArray[np.int16]:
    """The label map (D, H, W) of a case on the grid that its slices were cut from."""
    labels = as_read(read_labels(case, path)[0], native)
    return labels if labels.ndim == 3 else labels[np.newaxis]


def _unfinished(run: Run, method: str) -> str:
    """That no cell of a method has a mask of the case, and how those that ended without one ended."""
    statuses = run.cells.loc[run.cells["method"] == method, "status"]
    ended = [str(status) for status in statuses.unique() if status not in (FINISHED, PLANNED)]
    return f"no finished cell ({', '.join(ended)})" if ended else "no finished cell"


def _extent(mask: Mask) -> Box:
    """Rows and columns that a mask covers; all of them where it is empty."""
    taken = [np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0)]
    if not taken[0].size:
        return tuple((0, n) for n in mask.shape)
    return tuple((int(places[0]), int(places[-1]) + 1) for places in taken)


def _amount(volume: float) -> str:
    return f"{volume:,.0f}" if volume >= 100 else f"{volume:.3g}"


def _flips(direction: Sequence[float]) -> tuple[slice, slice]:
    """Turn rows and columns so that a scan is seen the usual way, whichever way its file runs."""
    axes = math.isqrt(len(direction))
    row, column = direction[axes + 1], direction[0]
    return tuple(slice(None, None, -1 if cosine < 0 else 1) for cosine in (row, column))  # type: ignore[return-value]
