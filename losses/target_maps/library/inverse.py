"""I-DM: the inverse distance map."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from losses import target_maps
from losses.target_maps.base import TargetMap
from losses.target_maps.lesions import Lesions


@target_maps.register("inverse")
class Inverse(TargetMap):
    """Inverse distance map (I-DM): largest on the outermost layer of each lesion, smallest in its middle; 0 outside.

    φ = M + D_min − D,  M and D_min the largest and the smallest D of the lesion

    (*S) float32, in voxels (in mm where a spacing is given), from D_min to M in each lesion. D_min is 1 in voxels: the
    "+1" of the paper. An empty mask gives 0 everywhere.

    Source: Li et al. 2021, `Preprocess_DistanceMap.py` of the authors: M + 1 − D. Deviations: D_min for 1, the same in
    voxels, so that a map in mm has the same shape; of one class, see `distance`.
    """

    heads = ("relu",)

    def values(self, lesions: Lesions) -> npt.NDArray[Any]:
        highest = (lesions.deepest + lesions.rim)[lesions.number]
        return lesions.spread((highest - lesions.depth).astype(np.float32))
