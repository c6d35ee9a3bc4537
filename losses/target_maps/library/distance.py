"""O-DM: the distance map."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from losses import target_maps
from losses.target_maps.base import TargetMap
from losses.target_maps.lesions import Lesions


@target_maps.register("distance")
class Distance(TargetMap):
    """Distance of each lesion voxel to the nearest voxel outside its lesion (O-DM); 0 on background.

    φ = D

    (*S) float32, in voxels (in mm where a spacing is given); 1 on the outermost layer (in voxels), largest in the
    middle. An empty mask gives 0 everywhere.

    Source: Li et al. 2021, `Preprocess_DistanceMap.py` of the authors. Deviation: of one class; theirs takes every
    label at least as large, so that the lesions of a liver would belong to it.
    """

    heads = ("relu",)

    def values(self, lesions: Lesions) -> npt.NDArray[Any]:
        return lesions.spread(lesions.depth.astype(np.float32))
