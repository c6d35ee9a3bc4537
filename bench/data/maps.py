"""Which target maps a case needs, class by class. How each is computed is known to `losses.target_maps` alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.classes import IGNORED
from bench.errors import DataError
from losses import target_maps

COORDINATES = "coordinates"
STEP = "step"
RESERVED = (COORDINATES, STEP)
"""Names in a loss's `required_maps` that are no target maps: they follow from the place and the time of a patch."""

Maps = dict[str, npt.NDArray[Any]]


def maps_for(
    required: Iterable[str],
    labels: npt.NDArray[np.int8],
    *,
    classes: int,
    spacing_mm: Sequence[float] | None = None,
) -> Maps:
    """Return name → map (C−1, *S) of the foreground classes 1..C−1, and `coordinates` (len(S), *S) if required.

    required    names as in a loss's `required_maps`, in any order, repeated or not. `step` is passed over: it belongs
                to the training step.
    labels      (*S), 0 background, 1..C−1 the classes, −1 ignored. The scope is what is given here: a whole prepared
                volume, or a patch of it, whose maps then know nothing of the lesions outside.
    classes     C, the background included.
    spacing_mm  distances in mm; None: in voxels.

    A class without a voxel has the map of an empty mask. Types are those of `losses.target_maps.compute`.
    Raises: DataError for fewer than two classes and for labels outside them; LossError for an unknown map.
    """
    names = [name for name in dict.fromkeys(required) if name != STEP]
    if classes < 2:
        raise DataError(f"target maps need a background and one class or more, got classes = {classes}")
    if labels.size and (labels.min() < IGNORED or labels.max() >= classes):
        raise DataError(
            f"target maps: labels must lie in 0..{classes - 1} (−1 = ignored), found {labels.min()}..{labels.max()}"
        )
    masks = [_mask(labels, index) for index in range(1, classes)] if set(names) - set(RESERVED) else []
    return {
        name: coordinates(labels.shape)
        if name == COORDINATES
        else np.stack([target_maps.compute(name, mask, spacing_mm) for mask in masks])
        for name in names
    }


def coordinates(shape: Sequence[int], part: Sequence[slice] | None = None) -> npt.NDArray[np.float32]:
    """(len(S), *S): position of each voxel along each axis, −1 at the first voxel's centre, 1 at the last one's.

    An axis of one voxel is 0. Cropped and turned with the patch like a map, each channel keeps the axis of the volume.
    `part`: only that part of the volume, without computing the rest.
    """
    axes = [np.linspace(-1, 1, size, dtype=np.float32) if size > 1 else np.zeros(1, np.float32) for size in shape]
    chosen = axes if part is None else [axis[piece] for axis, piece in zip(axes, part, strict=True)]
    return np.stack(np.meshgrid(*chosen, indexing="ij"))


def _mask(labels: npt.NDArray[np.int8], index: int) -> npt.NDArray[np.int8]:
    """One class: 1, everything else 0, ignored voxels −1."""
    mask: npt.NDArray[np.int8] = (labels == index).astype(np.int8)
    mask[labels == IGNORED] = IGNORED
    return mask
