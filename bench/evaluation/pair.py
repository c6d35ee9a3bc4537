"""One reference mask and one prediction, checked, without ignored voxels, cut to where either of them is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bench.errors import DataError
from bench.evaluation.overlap import OverlapCounts, overlap_counts

Mask = npt.NDArray[np.bool_]
_AXES = {2: "(y, x)", 3: "(z, y, x)"}


@dataclass(frozen=True)
class Pair:
    """Two binary masks on one grid, cropped to their common bounding box and bordered by one voxel of background.

    The border stands for everything outside the box, the outside of the volume included: both are background.
    `box` is where in the native grid the crop was taken, without the border; `diagonal_mm` is that of the whole grid.
    """

    reference: Mask
    prediction: Mask
    spacing_mm: tuple[float, ...]
    tolerance_mm: float
    diagonal_mm: float
    box: tuple[slice, ...]

    @cached_property
    def counts(self) -> OverlapCounts:
        """Voxels of the reference, of the prediction and of both."""
        return overlap_counts(self.reference, self.prediction)

    def cut(self, mask: Mask) -> Mask:
        """Crop and border another mask of the native grid like these two."""
        return np.pad(mask[self.box], 1)

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of a voxel; in 2D its area in mm², taken as one millimetre thick."""
        return math.prod(self.spacing_mm)


def make_pair(
    reference: npt.ArrayLike,
    prediction: npt.ArrayLike,
    spacing_mm: Sequence[float],
    *,
    tolerance_mm: float = 1.0,
    ignore: npt.ArrayLike | None = None,
) -> Pair:
    """Check two masks of one shape and crop them together. Voxels where `ignore` is true leave both masks.

    Raises: DataError where shapes differ, a mask is not binary, or spacing or tolerance is not usable.
    """
    masks = {"reference": as_mask(reference, "reference"), "prediction": as_mask(prediction, "prediction")}
    if ignore is not None:
        masks["ignore"] = as_mask(ignore, "ignore")
    shape = masks["reference"].shape
    for name, mask in masks.items():
        if mask.shape != shape:
            raise DataError(
                f"{name} has shape {mask.shape} but reference has shape {shape}: scores compare masks on one grid; "
                "resample the prediction to the reference first"
            )
    if len(shape) not in _AXES:
        raise DataError(f"masks have shape {shape}: expected 2 axes {_AXES[2]} or 3 axes {_AXES[3]}")
    spacing = as_spacing(spacing_mm, len(shape))
    if not (math.isfinite(tolerance_mm) and tolerance_mm >= 0):
        raise DataError(f"tolerance_mm is {tolerance_mm}: expected a finite number of millimetres, zero or more")
    kept = _without(masks)
    box = union_box(kept)
    boxed_reference, boxed_prediction = (np.pad(mask[box], 1) for mask in kept)
    diagonal = math.hypot(*(extent * step for extent, step in zip(shape, spacing, strict=True)))
    return Pair(boxed_reference, boxed_prediction, spacing, float(tolerance_mm), diagonal, box)


def as_mask(array: npt.ArrayLike, name: str) -> Mask:
    """Check that an array holds only 0 and 1 and return it as booleans."""
    values = np.asarray(array)
    if values.dtype == np.bool_:
        return values
    if not np.issubdtype(values.dtype, np.integer):
        raise DataError(
            f"{name} has type {values.dtype}: expected a binary mask of booleans or integers; "
            "compare labels or probabilities with a label value or threshold first"
        )
    if values.size and (values.min() < 0 or values.max() > 1):
        raise DataError(
            f"{name} holds values from {values.min()} to {values.max()}: expected a binary mask of 0 and 1; "
            "select one label first, for example labels == 2"
        )
    return values.astype(np.bool_)


def as_spacing(spacing_mm: Sequence[float], axes: int) -> tuple[float, ...]:
    """Check a voxel spacing in mm, in the order of the array's axes."""
    spacing = tuple(float(step) for step in spacing_mm)
    if len(spacing) != axes or not all(math.isfinite(step) and step > 0 for step in spacing):
        raise DataError(
            f"spacing_mm is {spacing}: expected {axes} finite numbers above 0, "
            f"millimetres per voxel along {_AXES[axes]}"
        )
    return spacing


def union_box(masks: Sequence[Mask]) -> tuple[slice, ...]:
    """Smallest box of voxels that holds every true voxel of every mask; empty slices where there is none."""
    boxes = [_box(mask) for mask in masks]
    held = [box for box in boxes if box is not None]
    if not held:
        return (slice(0, 0),) * masks[0].ndim
    return tuple(
        slice(min(start for start, _ in axis), max(stop for _, stop in axis)) for axis in zip(*held, strict=True)
    )


def _without(masks: dict[str, Mask]) -> tuple[Mask, Mask]:
    reference, prediction = masks["reference"], masks["prediction"]
    if "ignore" not in masks:
        return reference, prediction
    counted = ~masks["ignore"]
    return reference & counted, prediction & counted


def _box(mask: Mask) -> list[tuple[int, int]] | None:
    """First and one past the last true index along each axis. One pass along the first axis serves all the others."""
    if mask.ndim == 0:
        return []
    along_first = np.flatnonzero(mask.any(axis=tuple(range(1, mask.ndim))))
    if along_first.size == 0:
        return None
    first, last = int(along_first[0]), int(along_first[-1]) + 1
    rest = _box(np.logical_or.reduce(mask[first:last], axis=0))
    return [(first, last), *(rest or [])]
