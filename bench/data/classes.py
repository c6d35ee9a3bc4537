"""From the label values of a file to the classes of the suite."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from bench.data.settings import DatasetSettings

IGNORED = -1
"""Label of voxels that no loss and no metric looks at; padding carries it."""


def class_map(labels: npt.NDArray[np.int16], settings: DatasetSettings) -> npt.NDArray[np.int8]:
    """Classes (*S) int8: 0 background, 1..K the target classes in suite order, −1 ignored.

    A label value that the suite does not mention is background; `unmentioned_labels` counts them.
    """
    table = np.zeros(1 << 16, np.int8)
    for index, values in enumerate(settings.class_labels.values(), start=1):
        table[_places(values)] = index
    if settings.ignore_label is not None:
        table[_places([settings.ignore_label])] = IGNORED
    return table[labels.view(np.uint16)]


def roi_mask(labels: npt.NDArray[np.int16], settings: DatasetSettings) -> npt.NDArray[np.bool_] | None:
    """Voxels (*S) of the region of interest, or None where the suite names no labels for it."""
    if settings.roi is None:
        return None
    table = np.zeros(1 << 16, np.bool_)
    table[_places(settings.roi)] = True
    return table[labels.view(np.uint16)]


def unmentioned_labels(labels: npt.NDArray[np.int16], settings: DatasetSettings) -> dict[int, int]:
    """Voxels per label value that is neither 0 nor named by target, roi or ignore_label."""
    counts = np.zeros(1 << 16, np.int64)
    for piece in labels:  # slice by slice: counting makes a copy of eight bytes a voxel
        counts += np.bincount(piece.view(np.uint16).ravel(), minlength=1 << 16)
    mentioned = [0, *(v for values in settings.class_labels.values() for v in values), *(settings.roi or ())]
    if settings.ignore_label is not None:
        mentioned.append(settings.ignore_label)
    counts[_places(mentioned)] = 0
    found = np.flatnonzero(counts)
    return {int(value.astype(np.uint16).view(np.int16)): int(counts[value]) for value in found}


def _places(values: Iterable[int]) -> npt.NDArray[np.uint16]:
    """Places of label values in a table of all 16-bit patterns."""
    return np.fromiter(values, np.int16).view(np.uint16)
