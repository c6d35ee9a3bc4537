"""Overlap of two masks: Dice, volumetric overlap error, relative volume difference; Dice over all cases at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from bench.evaluation.empties import ERROR, RELATIVE_VOLUME, SCORE
from bench.evaluation.family import FAMILY_REGISTRY, Family, Metric
from bench.evaluation.overlap import OverlapCounts
from bench.evaluation.pair import Pair


@FAMILY_REGISTRY.register("overlap")
class Overlap(Family):
    """With A the reference, B the prediction and |·| a number of voxels:

    dice                        2|A∩B| / (|A| + |B|), 0 to 1
    dice_global                 2Σ|A∩B| / Σ(|A| + |B|) over the cases of a table row, 0 to 1
    volumetric_overlap_error    1 − |A∩B| / |A∪B|, 0 to 1
    relative_volume_difference  (|B| − |A|) / |A|, −1 to ∞, positive = over-segmented

    Source: Bilic et al., The Liver Tumor Segmentation Benchmark (LiTS), 2023, equations 3 to 5. The sign of the volume
    difference is that of the paper and of the benchmark's original scorer.
    """

    rank = 10
    metrics = (
        Metric("dice", "DC", "", "higher", SCORE),
        Metric("dice_global", "DG", "", "higher", SCORE, pooled=True),
        Metric("volumetric_overlap_error", "VOE", "", "lower", ERROR),
        Metric("relative_volume_difference", "RVD", "", "closest_to_zero", RELATIVE_VOLUME),
    )

    def measure(self, pair: Pair) -> dict[str, float]:
        counts = pair.counts
        return {
            "dice": counts.dice,
            "volumetric_overlap_error": counts.volumetric_overlap_error,
            "relative_volume_difference": counts.relative_volume_difference,
        }

    def pool(self, records: Iterable[Mapping[str, float]]) -> dict[str, float]:
        cases = [[record[key] for key in OverlapCounts._fields] for record in records]
        return {"dice_global": OverlapCounts(*map(sum, zip(*cases, strict=True))).dice if cases else math.nan}
