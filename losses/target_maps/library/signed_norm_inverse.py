"""SNI-DM: the signed normalised inverse distance map."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from losses import target_maps
from losses.target_maps.base import TargetMap
from losses.target_maps.lesions import Lesions
from losses.target_maps.library.norm_inverse import norm_inverse


@target_maps.register("signed_norm_inverse")
class SignedNormInverse(TargetMap):
    """Signed normalised inverse distance map (SNI-DM): NI-DM inside lesions, falling from 0 to −1 away from them.

    φ = (M + D_min − D) / M inside,  −D_bg / max D_bg outside,
    D_bg the distance of a background voxel to the nearest lesion voxel, its maximum over the whole array

    (*S) float32 in [−1, 1]; it jumps from just below 0 to 1 at the boundary. An empty mask gives −1 everywhere, which
    is what a lesion far away tends to; a mask without background is NI-DM alone.

    Source: Li et al. 2021, `seg_SignNormInverseDistanceMap` in `Preprocess_DistanceMap.py` of the authors, where the
    outside is not inverted. Deviations: D_min for 1, see `norm_inverse`; the empty mask, for which theirs is undefined.
    """

    stored_dtype = "float16"
    value_range = (-1.0, 1.0)
    heads = ("tanh",)

    def values(self, lesions: Lesions) -> npt.NDArray[Any]:
        if not lesions.count:
            return np.full(lesions.shape, -1, np.float32)
        result = lesions.outside()
        farthest = float(result.max())
        if farthest > 0:
            result /= -farthest
        result.reshape(-1)[lesions.voxels] = norm_inverse(lesions)
        return result
