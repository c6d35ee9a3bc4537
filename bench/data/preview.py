"""A few native slices of a case, small enough to keep with a run, for the pictures of a report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.data.geometry import Box, slices

SLICES = 3


@dataclass(frozen=True)
class Preview:
    """Slices along the first axis, cut to the prepared box; a predicted mask is cut with `index` and `box` to match.

    index   slice numbers on the native grid, the one with the largest target area first; (0,) for a 2D image.
    box     native rows and columns that are shown.
    image   (n, H, W) uint8, first channel; the suite's window, else the 0.5th to 99.5th percentile of the slices.
    labels  (n, H, W) int8 classes; 0 everywhere without reference.
    """

    index: tuple[int, ...]
    box: Box
    image: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int8]


def make_preview(
    image: npt.NDArray[np.float32],
    reference: npt.NDArray[np.int8] | None,
    box: Box,
    window: tuple[float, float] | None,
) -> Preview:
    """Cut the preview of a native channel (*S), 2D or 3D.

    The slices are those of the largest target area in each third of the target's extent; the middle slice of the box
    where there is no target.
    """
    if reference is None:
        reference = np.zeros(image.shape, np.int8)
    if image.ndim == 2:
        image, reference, box = image[np.newaxis], reference[np.newaxis], ((0, 1), *box)
    first = box[0][0]
    kept = reference[slices(box)]
    index = tuple(first + i for i in _chosen(np.count_nonzero(kept > 0, axis=(1, 2))))
    rows, columns = slices(box[1:])
    shown = np.stack([image[i, rows, columns] for i in index])
    low, high = window or (float(v) for v in np.percentile(shown, (0.5, 99.5)))
    scaled = (shown - low) / (high - low if high > low else 1.0)
    grey = np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    labels = np.stack([reference[i, rows, columns] for i in index])
    return Preview(index, box[1:], grey, labels)


def _chosen(area: npt.NDArray[np.intp]) -> list[int]:
    occupied = np.flatnonzero(area)
    if not occupied.size:
        return [len(area) // 2]
    extent = np.arange(occupied[0], occupied[-1] + 1)
    thirds = [third for third in np.array_split(extent, SLICES) if third.size and area[third].any()]
    best = [int(third[np.argmax(area[third])]) for third in thirds]
    return sorted(best, key=lambda i: -int(area[i]))
