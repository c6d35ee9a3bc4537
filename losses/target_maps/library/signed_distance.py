"""The signed distance map."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from losses import target_maps
from losses.target_maps.base import TargetMap
from losses.target_maps.lesions import Lesions


@target_maps.register("signed_distance")
class SignedDistance(TargetMap):
    """Signed distance: 0 on the outermost layer of lesion voxels, negative deeper inside, positive outside.

    φ = −(D − D_min) inside,  D_bg outside,  D_min the smallest D of the lesion (1 in voxels),
    D_bg the distance of a background voxel to the nearest lesion voxel

    (*S) float32, in voxels (in mm where a spacing is given). Inside, D itself is D_min − φ. An empty mask gives 0
    everywhere; in a mask without background every voxel is inside. Unbounded: a tanh head needs it clipped and scaled.

    Source: Kervadec et al. 2019 (boundary loss), `one_hot2dist` of the authors: D_bg·[outside] − (D − 1)·[inside], and
    0 for an absent class. Deviations: D_min for 1, without which voxels below 1 mm make the outermost layer positive;
    floating point, where their loader cuts distances to integers.
    """

    value_range = (-math.inf, math.inf)
    heads = ("linear",)

    def values(self, lesions: Lesions) -> npt.NDArray[Any]:
        if not lesions.count:
            return np.zeros(lesions.shape, np.float32)
        result = lesions.outside()
        result.reshape(-1)[lesions.voxels] = lesions.rim[lesions.number] - lesions.depth
        return result
