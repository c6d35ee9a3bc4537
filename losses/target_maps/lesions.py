"""The lesions of one mask: who they are, how deep each voxel lies in its own, how far every other voxel is from them.

The depth of a voxel does not change when all other lesions are removed: the voxel next to the nearest voxel outside the
lesion belongs to the lesion, so were that nearest one foreground it would be connected to it. Hence a transform of the
lesion's own box, grown by one voxel, gives the depth exactly, and a lesion of 10³ voxels costs 10³ voxels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int32]
Distances = npt.NDArray[np.float64]
Box = tuple[slice, ...]


class Lesions:
    """The 26-connected components (8-connected in 2D) of `foreground`, numbered from 1 in the order of the voxels.

    Per-voxel arrays have one entry for each lesion voxel, in the order of `voxels`; per-lesion arrays are indexed by
    the lesion's number, their entry 0 means nothing. All is computed when first asked for.
    """

    def __init__(self, foreground: Mask, spacing: Sequence[float]) -> None:
        self.foreground = foreground
        self.spacing = tuple(spacing)
        self.shape = foreground.shape

    @cached_property
    def voxels(self) -> npt.NDArray[np.intp]:
        """Flat indices of the lesion voxels, ascending."""
        return np.flatnonzero(self.foreground)

    @cached_property
    def count(self) -> int:
        """How many lesions there are."""
        return int(self._numbers.max(initial=0))

    @cached_property
    def number(self) -> Numbers:
        """Per voxel: the number of its lesion."""
        return self._numbers[self.foreground[self._crop]]

    @cached_property
    def depth(self) -> Distances:
        """Per voxel: distance D to the nearest voxel outside its lesion."""
        inside = self.foreground[self._crop]
        boxes = [grow(box, inside.shape) for box in self._boxes]
        if sum(volume(box) for box in boxes) >= inside.size:
            # Boxes that overlap much: one transform of all lesions gives the same distances.
            return depths(inside, self.spacing)[inside]
        result = np.zeros(inside.shape)
        for number, box in enumerate(boxes, start=1):
            lesion = self._numbers[box] == number
            result[box][lesion] = depths(lesion, self.spacing)[lesion]
        return result[inside]

    @cached_property
    def deepest(self) -> Distances:
        """Per lesion: the largest depth M."""
        result = np.zeros(self.count + 1)
        np.maximum.at(result, self.number, self.depth)
        return result

    @cached_property
    def rim(self) -> Distances:
        """Per lesion: the smallest depth, which its outermost voxels have; 1 in voxel units."""
        result = np.full(self.count + 1, np.inf)
        np.minimum.at(result, self.number, self.depth)
        return result

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """The smallest box of each lesion, of lesion 1 first."""
        starts = [part.start for part in self._crop]
        return tuple(
            tuple(slice(part.start + start, part.stop + start) for part, start in zip(box, starts, strict=True))
            for box in self._boxes
        )

    @cached_property
    def nearest(self) -> npt.NDArray[np.int32]:
        """(len(S), *S): indices of the lesion voxel that is nearest to each voxel. Needs a lesion."""
        from scipy import ndimage

        found: npt.NDArray[np.int32] = ndimage.distance_transform_edt(
            ~self.foreground, sampling=self.spacing, return_distances=False, return_indices=True
        )
        return found

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The array (*S) that has these values at the lesion voxels and 0 elsewhere."""
        result = np.zeros(self.shape, values.dtype)
        result.reshape(-1)[self.voxels] = values
        return result

    def outside(self) -> npt.NDArray[np.float32]:
        """(*S): distance to the nearest lesion voxel, 0 inside the lesions. Needs a lesion."""
        result = np.empty(self.shape, np.float32)
        places = np.ogrid[tuple(slice(size) for size in self.shape[1:])]
        for first, found in enumerate(np.moveaxis(self.nearest, 1, 0)):  # a slab at a time: no float64 whole volumes
            apart = (
                (axis - place) * step for axis, place, step in zip(found, (first, *places), self.spacing, strict=True)
            )
            result[first] = np.sqrt(sum(np.square(distance) for distance in apart))
        return result

    @cached_property
    def _crop(self) -> Box:
        """The box of all lesions, grown by one voxel within the volume; of no voxel where there is no lesion."""
        axes = range(len(self.shape))
        filled = [np.flatnonzero(self.foreground.any(tuple(a for a in axes if a != axis))) for axis in axes]
        if not len(filled[0]):
            return tuple(slice(0, 0) for _ in axes)
        return grow(tuple(slice(int(at[0]), int(at[-1]) + 1) for at in filled), self.shape)

    @cached_property
    def _numbers(self) -> Numbers:
        from scipy import ndimage

        inside = self.foreground[self._crop]
        numbers: Numbers = ndimage.label(inside, structure=np.ones((3,) * inside.ndim), output=np.int32)[0]
        return numbers

    @cached_property
    def _boxes(self) -> list[Box]:
        from scipy import ndimage

        boxes: list[Box] = ndimage.find_objects(self._numbers) if self.count else []
        return boxes


def depths(mask: Mask, spacing: Sequence[float]) -> Distances:
    """Distance of each voxel of a mask to the nearest background voxel, 0 for background.

    Beyond the array there is nothing, unless the mask fills it: then a margin of background surrounds it, without
    which scipy returns distances to a voxel that does not exist.
    """
    from scipy import ndimage

    if mask.all():
        padded = np.pad(mask, 1)
        return np.asarray(ndimage.distance_transform_edt(padded, sampling=spacing))[(slice(1, -1),) * mask.ndim]
    return np.asarray(ndimage.distance_transform_edt(mask, sampling=spacing))


def grow(box: Box, shape: Sequence[int], voxels: Sequence[int] | None = None) -> Box:
    """The box with so many more voxels on both ends of each axis (one by default), within an array of this shape."""
    margins = voxels if voxels is not None else (1,) * len(shape)
    return tuple(
        slice(max(part.start - margin, 0), min(part.stop + margin, size))
        for part, size, margin in zip(box, shape, margins, strict=True)
    )


def volume(box: Box) -> int:
    """How many voxels a box has."""
    return int(np.prod([part.stop - part.start for part in box]))
