"""NI-DM: the normalised inverse distance map."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from losses import target_maps
from losses.target_maps.base import TargetMap
from losses.target_maps.lesions import Lesions


@target_maps.register("norm_inverse")
class NormInverse(TargetMap):
    """Normalised inverse distance map (NI-DM): 1 on the outermost layer of every lesion, falling inwards; 0 outside.

    φ = (M + D_min − D) / M,  M and D_min the largest and the smallest D of the lesion

    (*S) float32 in [0, 1], in each lesion from D_min/M to 1: lesions of every size weigh alike per boundary voxel. A
    lesion of one voxel is 1. An empty mask gives 0 everywhere.

    Source: Li et al. 2021, equation 1, as text and `Preprocess_DistanceMap.py` of the authors agree on it, with D_min
    for their 1: the same in voxels, while in mm a literal 1 would lift φ above 1 (1.08 for voxels of .7 mm). Read
    literally the printed fraction is 1/max D, constant in each lesion.
    """

    stored_dtype = "float16"
    value_range = (0.0, 1.0)
    heads = ("relu", "sigmoid")

    def values(self, lesions: Lesions) -> npt.NDArray[Any]:
        return lesions.spread(norm_inverse(lesions))


def norm_inverse(lesions: Lesions) -> npt.NDArray[np.float32]:
    """φ of each lesion voxel, in the order of `lesions.voxels`."""
    deepest, rim = lesions.deepest[lesions.number], lesions.rim[lesions.number]
    return ((deepest + rim - lesions.depth) / deepest).astype(np.float32)
