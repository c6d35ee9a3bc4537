"""Lesion by lesion: which were found, how much of each, and what was found that is no lesion."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.errors import DataError
from bench.evaluation.components import Components
from bench.evaluation.pair import Mask, Pair, as_mask, make_pair

LESION = "lesion"
FALSE_POSITIVE = "false_positive"

LESION_COLUMNS = (
    "kind",
    "voxels",
    "volume_mm3",
    "equivalent_diameter_mm",
    "covered_fraction",
    "on_distractor",
)
"""The keys of a record, in the order in which `lesion_records` gives them."""

Record = dict[str, float | str]


def lesion_records(
    reference: npt.ArrayLike,
    prediction: npt.ArrayLike,
    spacing_mm: Sequence[float],
    *,
    distractors: npt.ArrayLike | None = None,
    ignore: npt.ArrayLike | None = None,
) -> list[Record]:
    """One record per lesion, then one per false positive, each kind in the order of its first voxel.

    A lesion is a 26-connected component of the reference (8-connected in 2D). It is detected when any voxel of it is
    predicted. A false positive is a component of the prediction that shares no voxel with any lesion; a neighbouring
    voxel is no overlap. There is no matching by IoU: a prediction that spans two lesions detects both.

    distractors  voxels of benign look-alikes, of the same shape, where they are known (generated data).
    ignore       voxels that leave both masks before components are formed; see `score`.

    Keys: `kind` ("lesion" or "false_positive"); `voxels`; `volume_mm3` (in 2D the area in mm²);
    `equivalent_diameter_mm` of the ball (in 2D the disc) of that volume; `covered_fraction` of a lesion's voxels that
    are predicted, 0 = missed, NaN for a false positive; `on_distractor`, 1 where a false positive shares a voxel with a
    look-alike, 0 where not, NaN for lesions and where look-alikes are not known.
    Empty masks: no lesions, or no false positives. Raises: DataError as `score` does.
    """
    pair = make_pair(reference, prediction, spacing_mm, ignore=ignore)
    decoys = None if distractors is None else _cut_distractors(distractors, pair, np.shape(reference))
    return [*_lesions(pair), *_false_positives(pair, decoys)]


def _lesions(pair: Pair) -> list[Record]:
    components = Components(pair.reference)
    covered = components.within(pair.reference & pair.prediction)
    return [
        _record(LESION, pair, size, covered_fraction=inside / size)
        for size, inside in zip(components.sizes, covered, strict=True)
    ]


def _false_positives(pair: Pair, decoys: Mask | None) -> list[Record]:
    components = Components(pair.prediction)
    hits = components.within(pair.reference & pair.prediction)
    touching = None if decoys is None else components.within(pair.prediction & decoys)
    return [
        _record(FALSE_POSITIVE, pair, size, on_distractor=math.nan if touching is None else float(touching[number] > 0))
        for number, size in enumerate(components.sizes)
        if not hits[number]
    ]


def _record(
    kind: str, pair: Pair, voxels: int, *, covered_fraction: float = math.nan, on_distractor: float = math.nan
) -> Record:
    volume = float(voxels * pair.voxel_volume_mm3)
    return {
        "kind": kind,
        "voxels": int(voxels),
        "volume_mm3": volume,
        "equivalent_diameter_mm": equivalent_diameter(volume, pair.reference.ndim),
        "covered_fraction": float(covered_fraction),
        "on_distractor": on_distractor,
    }


def equivalent_diameter(volume: float, axes: int) -> float:
    """Diameter in mm of the ball with this volume in mm³, or of the disc with this area in mm²."""
    return 2 * math.sqrt(volume / math.pi) if axes == 2 else (6 * volume / math.pi) ** (1 / 3)


def _cut_distractors(distractors: npt.ArrayLike, pair: Pair, shape: tuple[int, ...]) -> Mask:
    mask = as_mask(distractors, "distractors")
    if mask.shape != shape:
        raise DataError(f"distractors has shape {mask.shape} but reference has shape {shape}: expected one grid")
    return pair.cut(mask)
