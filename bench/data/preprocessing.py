"""From a volume as read to what the network sees, and from its probabilities back to the native grid.

Order: interpret labels, find the region of interest, resample, crop, window, normalise, mask, round to the type stored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.classes import IGNORED, class_map, roi_mask, unmentioned_labels
from bench.data.geometry import Box, Placement, bounding_box, box_in_grid, place, slices, widen
from bench.data.intensity import normalised, stored_as
from bench.data.preview import Preview, make_preview
from bench.data.resampling import to_native, to_prepared
from bench.data.settings import CropSettings, DatasetSettings, PreprocessingSettings, check_together
from bench.data.volume import Volume
from bench.errors import DataError

PREPROCESSING_VERSION = 2
"""Part of every prepared case's identity: raise it when the same settings would give other arrays."""

AXES = ("z", "y", "x")


@dataclass(frozen=True)
class PreparedCase:
    """A volume ready for patches.

    image      (C, *S) on the prepared grid, float32 or as the suite says that it is stored.
    labels     (*S) int8: 0 background, 1..K the target classes, −1 ignored (everywhere if there is no reference).
    roi        (*S) bool, or None where the suite names no region, or this case has none of it.
    reference  (*N) int8: the classes on the native grid, where metrics are computed; None without reference.
    preview    a few native slices for reports.
    meta       JSON: `classes`, `placement`, `intensity` (what was measured per channel), `unmentioned_labels`, `notes`.
    """

    image: npt.NDArray[np.floating[Any]]
    labels: npt.NDArray[np.int8]
    roi: npt.NDArray[np.bool_] | None
    reference: npt.NDArray[np.int8] | None
    preview: Preview
    meta: dict[str, Any]

    @property
    def placement(self) -> Placement:
        """Where the prepared grid lies in the native one."""
        return Placement.from_json(self.meta["placement"])


def prepare(volume: Volume, dataset: DatasetSettings, settings: PreprocessingSettings) -> PreparedCase:
    """Prepare one volume.

    A case without a voxel of the region of interest keeps its whole volume, unmasked, with a note. Where the suite
    names a region but not `roi_from`, the region is kept for drawing training patches and touches nothing else.

    Raises:
        DataError: no image, a spacing with another number of axes than the volume, a region of interest that is to
            come from a reference that is not there, or intensities that do not fit into the type stored.
    """
    problem = check_together(dataset, settings) or _unusable(volume, settings)
    if problem:
        raise DataError(problem)
    assert volume.image is not None  # _unusable refused it
    reference, roi, notes = _interpreted(volume, dataset)
    placement = _placed(volume, roi, settings)
    labels, kept_roi, lost = _on_grid(reference, roi, placement, dataset.classes)
    image = np.stack([to_prepared(channel, placement, settings.interpolation) for channel in volume.image])
    image, measured, remarks = normalised(image, kept_roi if settings.roi_from else None, settings)
    if settings.mask_outside_roi and kept_roi is not None:
        image[:, ~kept_roi] = 0
    unmentioned = {} if volume.labels is None else unmentioned_labels(volume.labels, dataset)
    meta = {
        "classes": list(dataset.classes),
        "placement": placement.to_json(),
        "intensity": measured,
        "unmentioned_labels": {str(value): count for value, count in unmentioned.items()},
        "notes": [*volume.notes, *notes, *lost, *remarks],
    }
    preview = make_preview(volume.image[0], reference, placement.native_box, settings.window)
    stored = stored_as(image, settings.image_dtype)
    return PreparedCase(stored, labels, kept_roi, reference, preview, meta)


def restore(probabilities: npt.NDArray[np.float32], meta: Mapping[str, Any]) -> npt.NDArray[np.int8]:
    """The label map of a prepared case's probabilities, on its native grid.

    Where the spacing was changed, probabilities are interpolated linearly and the largest wins (of equal ones the
    lowest class), so no class is favoured by rounding labels. Voxels outside the prepared box are background.

    Args:
        probabilities: (K + 1, *S), any scores that can be averaged.
        meta: the prepared case's.

    Raises:
        ValueError: the shape is not that of the prepared case.
    """
    placement = Placement.from_json(meta["placement"])
    if probabilities.shape[1:] != placement.prepared.shape:
        raise ValueError(f"probabilities {probabilities.shape} for a prepared case of {placement.prepared.shape}")
    # Class by class, because all classes of a large volume on its native grid may not fit into memory.
    best = np.array(to_native(probabilities[0], placement))
    winner = np.zeros(best.shape, np.int8)
    for index in range(1, len(probabilities)):
        candidate = to_native(probabilities[index], placement)
        larger = candidate > best
        winner[larger] = index
        np.copyto(best, candidate, where=larger)
    labels = np.zeros(placement.native.shape, np.int8)
    labels[slices(placement.native_box)] = winner
    return labels


def _unusable(volume: Volume, settings: PreprocessingSettings) -> str | None:
    if volume.image is None:
        return "the case has masks only, no image to prepare"
    axes = len(volume.geometry.shape)
    if settings.spacing_mm is not None and len(settings.spacing_mm) != axes:
        return (
            f"preprocessing.spacing_mm {list(settings.spacing_mm)} for a volume of {axes} axes; expected {axes} numbers"
        )
    if settings.roi_from == "reference" and volume.labels is None:
        return (
            "the region of interest comes from the reference (preprocessing.roi_from: reference), but there is none: "
            "give a label file in which at least the region of interest is drawn"
        )
    return None


def _placed(volume: Volume, roi: npt.NDArray[np.bool_] | None, settings: PreprocessingSettings) -> Placement:
    placement = place(volume.geometry, settings.spacing_mm)
    box = None if roi is None or settings.crop is None else bounding_box(roi)
    if box is None or settings.crop is None:
        return placement
    return replace(placement, box=_cropped(box_in_grid(box, placement), placement, settings.crop))


def _cropped(box: Box, placement: Placement, crop: CropSettings) -> Box:
    """The box with its margin along the axes that are cropped, the whole extent along the others."""
    spacing, shape = placement.grid.spacing_mm, placement.grid.shape
    margins = tuple(crop.margin_voxels or math.ceil((crop.margin_mm or 0) / s - 1e-6) for s in spacing)
    names = AXES[-len(shape) :]
    wide = widen(box, margins, shape)
    return tuple(axis if name in crop.axes else (0, n) for name, axis, n in zip(names, wide, shape, strict=True))


def _interpreted(
    volume: Volume, dataset: DatasetSettings
) -> tuple[npt.NDArray[np.int8] | None, npt.NDArray[np.bool_] | None, list[str]]:
    """Classes and region of interest on the native grid; no region where the case has none of its labels."""
    if volume.labels is None:
        return None, None, []
    roi = roi_mask(volume.labels, dataset)
    if roi is not None and not roi.any():
        return class_map(volume.labels, dataset), None, ["no voxel of the region of interest: the whole volume is kept"]
    return class_map(volume.labels, dataset), roi, []


def _on_grid(
    reference: npt.NDArray[np.int8] | None,
    roi: npt.NDArray[np.bool_] | None,
    placement: Placement,
    classes: tuple[str, ...],
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.bool_] | None, list[str]]:
    """Classes and region of interest on the prepared grid, and what was lost on the way."""
    kept, notes = None, []
    if roi is not None:
        kept = to_prepared(roi, placement, "nearest")
        if not kept.any():
            kept = None
            notes.append("the region of interest is smaller than a prepared voxel and is lost: nothing is masked")
    if reference is None:
        return np.full(placement.prepared.shape, IGNORED, np.int8), kept, notes
    total = int(np.count_nonzero(reference > 0))
    outside = total - int(np.count_nonzero(reference[slices(placement.native_box)] > 0))
    if outside:
        notes.append(f"{outside} of {total} target voxels lie outside the crop and cannot be found")
    labels = to_prepared(reference, placement, "nearest")
    vanished = [
        name for index, name in enumerate(classes, start=1) if (reference == index).any() > (labels == index).any()
    ]
    if vanished:
        notes.append(f"no voxel of {', '.join(vanished)} is left on the prepared grid")
    return labels, kept, notes
