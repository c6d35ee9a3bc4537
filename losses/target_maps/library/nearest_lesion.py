"""Numbers of the nearest lesions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from losses import target_maps
from losses.target_maps.base import TargetMap
from losses.target_maps.lesions import Lesions


@target_maps.register("nearest_lesion")
class NearestLesion(TargetMap):
    """Number of the lesion that is nearest to each voxel: Voronoi cells of the lesions.

    φ = argmin_k d_k,  d_k the distance to the nearest voxel of lesion k

    (*S) int32, numbered as `lesion_id`, with which it agrees inside lesions; at equal distances it is
    one of the nearest, always the same one. No voxel but ignored ones is 0. An empty mask gives 0
    everywhere.

    Source: CC-DiceCE (arXiv 2511.17146), cells of 26-connected components by the Euclidean distance transform.
    """

    dtype = "int32"
    stored_dtype = "int32"

    def values(self, lesions: Lesions) -> npt.NDArray[Any]:
        numbers: npt.NDArray[np.int32] = lesions.spread(lesions.number)
        return numbers[tuple(lesions.nearest)] if lesions.count else numbers
