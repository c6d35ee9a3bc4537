"""U-Net's weight between neighbouring lesions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from losses import target_maps
from losses.domains import number
from losses.target_maps.base import TargetMap
from losses.target_maps.lesions import Box, Lesions, grow

NEGLIGIBLE = 1e-7


@target_maps.register("border")
class Border(TargetMap):
    """Weight of the gaps between lesions: the second term of U-Net's weight map.

    φ = w0·exp(−(d1 + d2)² / 2σ²),  d1 and d2 the distances to the nearest voxels of the two nearest lesions

    (*S) float32 in [0, w0]; σ is in voxels (in mm where a spacing is given). Inside a lesion d1 = 0. Terms below
    1e-7 are 0. An empty mask gives 0 everywhere, and so does a single lesion. One stored map of the defaults serves
    other constants too: w0·(φ/10)^((5/σ)²) for σ <= 5.

    Raises `LossError` for w0 < 0 or σ <= 0.

    Source: Ronneberger et al. 2015, equation 2, w0 = 10 and σ ≈ 5 pixels; there d1 and d2 lead to the borders of the
    two nearest cells. The class weight w_c, which it is added to, is the loss's. Other code differs: LIVIAETS
    takes the absolute signed distance in place of d1 + d2.
    """

    value_range = (0.0, 10.0)

    def __init__(self, *, w0: float = 10.0, sigma: float = 5.0) -> None:
        self.w0 = number("border", "w0", w0, at_least=0)
        self.sigma = number("border", "sigma", sigma, above=0)

    def values(self, lesions: Lesions) -> npt.NDArray[Any]:
        result = np.zeros(lesions.shape, np.float32)
        if lesions.count < 2 or self.w0 <= NEGLIGIBLE:
            return result
        reach = self.sigma * math.sqrt(2 * math.log(self.w0 / NEGLIGIBLE))
        margins = [math.ceil(reach / step) for step in lesions.spacing]
        near = _close_to_another(lesions.boxes, lesions.spacing, reach)
        boxes = {k: grow(box, lesions.shape, margins) for k, box in enumerate(lesions.boxes, start=1) if near[k - 1]}
        if not boxes:
            return result
        hull = tuple(
            slice(min(p.start for p in parts), max(p.stop for p in parts))
            for parts in zip(*boxes.values(), strict=True)
        )
        first, second = _two_nearest(lesions, boxes, hull)
        weight = self.w0 * np.exp(-np.square(first + second) / (2 * self.sigma**2))
        result[hull] = np.where(weight < NEGLIGIBLE, 0, weight)
        return result


def _two_nearest(
    lesions: Lesions, boxes: dict[int, Box], hull: Box
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Distances to the nearest and the second nearest lesion within `hull`; a lesion's are known in its box alone."""
    from scipy import ndimage

    numbers = lesions.spread(lesions.number)
    shape = [part.stop - part.start for part in hull]
    first, second = np.full(shape, np.inf), np.full(shape, np.inf)
    for k, box in boxes.items():
        distance = ndimage.distance_transform_edt(numbers[box] != k, sampling=lesions.spacing)
        place = tuple(slice(p.start - h.start, p.stop - h.start) for p, h in zip(box, hull, strict=True))
        nearest, next_nearest = first[place], second[place]
        np.minimum(next_nearest, np.maximum(nearest, distance), out=next_nearest)
        np.minimum(nearest, distance, out=nearest)
    return first, second


def _close_to_another(boxes: tuple[Box, ...], spacing: tuple[float, ...], reach: float) -> npt.NDArray[np.bool_]:
    """Which lesions may have another within `reach`, judged by their boxes: no voxel's d1 + d2 is less than the gap."""
    starts = np.array([[part.start for part in box] for box in boxes])
    lasts = np.array([[part.stop - 1 for part in box] for box in boxes])
    result = np.zeros(len(boxes), np.bool_)
    for k in range(len(boxes)):
        gaps = np.maximum(np.maximum(starts - lasts[k], starts[k] - lasts), 0) * np.asarray(spacing)
        others = np.linalg.norm(gaps, axis=1) <= reach
        result[k] = np.count_nonzero(others) > 1
    return result
