"""Connected components of a mask that is mostly background, from its runs of voxels along the last axis."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import numpy.typing as npt

from bench.evaluation.pair import Mask

Indices = npt.NDArray[np.intp]

MANY_RUNS = 2_000_000
"""Runs above which a map of the whole mask takes less memory than the list of which runs touch."""


class Components:
    """The components that are connected through faces, edges or corners, in the order of their first voxels.

    The mask's outermost layer must be background, so that no run goes around a corner. `sizes`: voxels of each.
    """

    def __init__(self, mask: Mask) -> None:
        self._starts, stops = runs(mask)
        if len(self._starts) > MANY_RUNS:
            self._numbers: Indices = _labelled(mask)[self._starts].astype(np.intp)
        else:
            self._numbers = _joined(self._starts, stops, mask.shape)
        self.count = int(self._numbers.max(initial=-1)) + 1
        self.sizes = self._added(self._numbers, stops - self._starts)

    def within(self, part: Mask) -> Indices:
        """Voxels of each component that lie in `part`, which must lie in the mask."""
        starts, stops = runs(part)
        return self._added(self._numbers[np.searchsorted(self._starts, starts, side="right") - 1], stops - starts)

    def _added(self, numbers: Indices, voxels: Indices) -> Indices:
        return np.bincount(numbers, weights=voxels, minlength=self.count).astype(np.intp)


def runs(mask: Mask) -> tuple[Indices, Indices]:
    """Flat indices of the first voxel of every run of true voxels, and of the one after its last."""
    flat = np.ascontiguousarray(mask).ravel()
    borders = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return borders[::2], borders[1::2]


def _joined(starts: Indices, stops: Indices, shape: tuple[int, ...]) -> Indices:
    """The number of each run's component, from 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = [_touching(starts, stops, step) for step in _next_lines(shape)]
    one, other = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    graph = coo_array((np.ones(len(one), np.bool_), (one, other)), shape=(len(starts), len(starts)))
    numbers: Indices = connected_components(graph, directed=False)[1]
    return numbers


def _touching(starts: Indices, stops: Indices, step: int) -> tuple[Indices, Indices]:
    """Pairs of runs of which the second, in the line `step` voxels on, lies beside the first or at its ends."""
    first = np.searchsorted(stops, starts + (step - 1), side="right")
    counts = np.maximum(np.searchsorted(starts, stops + (step + 1), side="left") - first, 0)
    one = np.repeat(np.arange(len(starts)), counts)
    return one, np.arange(len(one)) + np.repeat(first - (np.cumsum(counts) - counts), counts)


def _next_lines(shape: tuple[int, ...]) -> list[int]:
    """How many voxels further on those lines lie that neighbour a line and come after it: 4 in 3D, 1 in 2D."""
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape) - 1)]
    offsets = [offset for offset in product((-1, 0, 1), repeat=len(strides)) if offset > (0,) * len(strides)]
    return [sum(step * stride for step, stride in zip(offset, strides, strict=True)) for offset in offsets]


def _labelled(mask: Mask) -> npt.NDArray[np.int32]:
    """The number of each voxel's component, from 0, flat; anything outside the mask."""
    from scipy import ndimage

    numbers = ndimage.label(mask, structure=np.ones((3,) * mask.ndim), output=np.int32)[0]
    flat: npt.NDArray[np.int32] = numbers.ravel()
    flat -= 1
    return flat
