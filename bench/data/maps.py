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

    required    names as in `required_maps`, in any order, repeated or not: kinds, in mm where `_mm` follows. `step` is
                passed over: it belongs to the training step.
    labels      (*S), 0 background, 1..C−1 the classes, −1 ignored. The scope is what is given here: a whole prepared
                volume, or a patch of it, whose maps then know nothing of the lesions outside.
    classes     C, the background included.
    spacing_mm  of the axes, for maps in mm; all others are in voxels.

    A class without a voxel has the map of an empty mask. Types are those of `losses.target_maps.compute`.
    Raises: DataError for fewer than two classes, for labels outside them, and for a map in mm without spacing;
    LossError for an unknown map.
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
        else np.stack([_map(name, mask, spacing_mm) for mask in masks])
        for name in names
    }


def _map(name: str, mask: npt.NDArray[np.int8], spacing_mm: Sequence[float] | None) -> npt.NDArray[Any]:
    kind, in_mm = target_maps.unit_of(name)
    if in_mm and spacing_mm is None:
        raise DataError(f"target map {name!r} is in mm, and no spacing is known here")
    return target_maps.compute(kind, mask, spacing_mm if in_mm else None)


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
