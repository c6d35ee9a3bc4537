"""Numbers of the lesions."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from losses import target_maps
from losses.target_maps.base import TargetMap
from losses.target_maps.lesions import Lesions


@target_maps.register("lesion_id")
class LesionId(TargetMap):
    """Number of the lesion that each voxel belongs to, 0 on background.

    φ = k in the k-th lesion, 26-connected (8-connected in 2D)

    (*S) int32, from 1 in the order in which the lesions' first voxels come in the array. An empty mask gives 0
    everywhere.

    Source: connected components as in blob loss (Kofler et al. 2023) and inverse weighting (Shirokikh et al. 2020).
    """

    dtype = "int32"
    stored_dtype = "int32"

    def values(self, lesions: Lesions) -> npt.NDArray[Any]:
        return lesions.spread(lesions.number)
