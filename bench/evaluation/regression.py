"""How well a regressor gives back the maps of reference masks, by how much of the patch is lesion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

BINS = (0.0, 1e-3, 1e-2, 1e-1, 1.0)
"""Edges of the lesion fractions of a patch that are told apart, beside "none"."""

Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class PatchQuality:
    """One patch and one foreground class.

    fraction      of the voxels that are not ignored, in lesions
    dice          of (value > threshold) with the mask; NaN without lesion
    error         mean |value − map| inside lesions; NaN without lesion
    largest       value outside lesions
    map_values    of the target inside lesions
    """

    fraction: float
    dice: float
    error: float
    largest: float
    map_values: Array


def patch_quality(values: Array, target: Array, mask: npt.NDArray[np.bool_], threshold: float) -> PatchQuality:
    """Compare a regressed map with its target, both of the voxels (N,) that are not ignored; mask (N,) of lesions."""
    inside = int(np.count_nonzero(mask))
    found = values > threshold
    overlap, size = int(np.count_nonzero(found & mask)), int(np.count_nonzero(found)) + inside
    return PatchQuality(
        fraction=inside / max(mask.size, 1),
        dice=2 * overlap / size if inside else np.nan,
        error=float(np.abs(values - target)[mask].mean()) if inside else np.nan,
        largest=float(values[~mask].max()) if inside < mask.size else np.nan,
        map_values=target[mask],
    )


def quality_table(patches: Sequence[PatchQuality]) -> dict[str, Any]:
    """Means by lesion fraction, beside a constant predictor; and the largest value on a patch without lesion.

    The constant is the median of all map values inside lesions, the best that knows nothing of the patch: its error is
    what has to be beaten, and its Dice is that of a prediction of everything. Patches that are ignored whole are left
    out.
    """
    lesions = [patch for patch in patches if patch.fraction > 0]
    constant = float(np.median(np.concatenate([patch.map_values for patch in lesions]))) if lesions else None
    rows = []
    for low, high in pairwise(BINS):
        inside = [patch for patch in lesions if low < patch.fraction <= high]
        rows.append({"above": low, "up_to": high, "patches": len(inside), **_means(inside, constant)})
    empty = [patch.largest for patch in patches if patch.fraction == 0 and not np.isnan(patch.largest)]
    return {
        "constant": constant,
        "by_fraction": rows,
        "all": {"patches": len(lesions), **_means(lesions, constant)},
        "without_lesion": {"patches": len(empty), "largest": max(empty, default=None)},
    }


def _means(patches: Sequence[PatchQuality], constant: float | None) -> Mapping[str, float | None]:
    if not patches or constant is None:
        return {"dice": None, "error": None, "constant_dice": None, "constant_error": None}
    return {
        "dice": float(np.mean([patch.dice for patch in patches])),
        "error": float(np.mean([patch.error for patch in patches])),
        "constant_dice": float(np.mean([2 * patch.fraction / (1 + patch.fraction) for patch in patches])),
        "constant_error": float(np.mean([np.abs(patch.map_values - constant).mean() for patch in patches])),
    }
