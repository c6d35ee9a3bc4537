"""Score one prediction against one reference: every per-case metric, with the counts that pooled metrics need."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt

from bench.evaluation.metrics import FAMILIES, METRICS
from bench.evaluation.overlap import OverlapCounts
from bench.evaluation.pair import Pair, make_pair


def score(
    reference: npt.ArrayLike,
    prediction: npt.ArrayLike,
    spacing_mm: Sequence[float],
    *,
    tolerance_mm: float = 1.0,
    ignore: npt.ArrayLike | None = None,
) -> dict[str, float]:
    """All per-case metrics of one binary prediction, on the whole mask, in native space.

    reference, prediction  binary masks (z, y, x) or (y, x): booleans, or integers 0 and 1, of one shape.
    spacing_mm             millimetres per voxel, in the order of the axes.
    tolerance_mm           distance within which surface Dice counts a surface voxel as right.
    ignore                 voxels to leave out, of the same shape. They are removed from both masks before anything is
                           measured. Where they cut through an object, the cut is surface in both masks: it lies at
                           distance 0 where reference and prediction both reach it.

    Returns the metrics by key (`bench.evaluation.metrics`), then `intersection_voxels`, `reference_voxels`,
    `prediction_voxels`, `reference_volume_mm3` and `prediction_volume_mm3` (without ignored voxels; in 2D, areas in mm²
    as if one millimetre thick). A value is NaN only where it is undefined.
    Empty masks: as each metric declares (`bench.evaluation.empties`); in words: `metrics.EMPTY_POLICY`.
    Raises: DataError for masks of different shapes, masks that are not binary, unusable spacing or tolerance.
    """
    pair = make_pair(reference, prediction, spacing_mm, tolerance_mm=tolerance_mm, ignore=ignore)
    return {**measure(pair), **counts(pair)}


def measure(pair: Pair) -> dict[str, float]:
    """The per-case metrics of a checked pair, empty masks included."""
    reference_empty, prediction_empty = pair.counts.reference_voxels == 0, pair.counts.prediction_voxels == 0
    if not (reference_empty or prediction_empty):
        return {key: value for family in FAMILIES for key, value in family.measure(pair).items()}
    return {
        metric.key: metric.empties.value(
            reference_empty=reference_empty, prediction_empty=prediction_empty, diagonal_mm=pair.diagonal_mm
        )
        for metric in METRICS.values()
        if not metric.pooled
    }


def counts(pair: Pair) -> dict[str, float]:
    """What a table needs of a case beside its metrics: voxel counts (whole numbers) and volumes in mm³."""
    return {
        **pair.counts._asdict(),
        "reference_volume_mm3": pair.counts.reference_voxels * pair.voxel_volume_mm3,
        "prediction_volume_mm3": pair.counts.prediction_voxels * pair.voxel_volume_mm3,
    }


SCORE_COLUMNS = (
    *(key for key, metric in METRICS.items() if not metric.pooled),
    *OverlapCounts._fields,
    "reference_volume_mm3",
    "prediction_volume_mm3",
)
"""The keys of a record, in the order in which `score` gives them."""
