"""The voxel counts of a pair of masks and the formulas on them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.evaluation.empties import ERROR, SCORE


class OverlapCounts(NamedTuple):
    """|A∩B|, |A| and |B| in voxels, with A the reference and B the prediction.

    Counts of several cases or classes may be added field by field to pool them.
    """

    intersection_voxels: float
    reference_voxels: float
    prediction_voxels: float

    @property
    def dice(self) -> float:
        """2|A∩B| / (|A| + |B|), 0 to 1; 1 where both are empty."""
        total = self.reference_voxels + self.prediction_voxels
        return 2 * self.intersection_voxels / total if total else float(SCORE.both)

    @property
    def volumetric_overlap_error(self) -> float:
        """1 − |A∩B| / |A∪B|, 0 to 1; 0 where both are empty."""
        union = self.reference_voxels + self.prediction_voxels - self.intersection_voxels
        return 1 - self.intersection_voxels / union if union else float(ERROR.both)

    @property
    def relative_volume_difference(self) -> float:
        """(|B| − |A|) / |A|, −1 to ∞, positive = over-segmented. Raises: ZeroDivisionError without a reference."""
        return (self.prediction_voxels - self.reference_voxels) / self.reference_voxels


def overlap_counts(
    reference: npt.NDArray[np.bool_], prediction: npt.NDArray[np.bool_], ignore: npt.NDArray[np.bool_] | None = None
) -> OverlapCounts:
    """Count two boolean masks of one shape, leaving out voxels where `ignore` is true. Nothing else is computed."""
    if ignore is not None:
        reference, prediction = reference & ~ignore, prediction & ~ignore
    return OverlapCounts(*(int(np.count_nonzero(mask)) for mask in (reference & prediction, reference, prediction)))
