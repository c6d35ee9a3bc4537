"""Bullseye."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from losses.target_maps import TargetMap
from losses.target_maps.lesions import Lesions


class Bullseye(TargetMap):
    """1 in the central column of the last axis, 0 elsewhere; of no use but for tests."""

    value_range = (0.0, 1.0)
    stored_dtype = "float16"

    def values(self, lesions: Lesions) -> npt.NDArray[np.generic]:
        result = np.zeros(lesions.shape, np.float32)
        result[..., lesions.shape[-1] // 2] = 1
        return result
