"""What a single threshold on the image could reach: the floor that a trained network has to clear.

The threshold and its direction are chosen on the very cases they are scored on, so the result is an upper bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

_BINS = 1000  # of the pooled intensity range: 0.2 HU of a window of 200 HU


@dataclass(frozen=True)
class ThresholdBaseline:
    """The best threshold: mean `dice` over `cases` cases with target; target is `darker` than `threshold`, or not."""

    dice: float
    threshold: float
    darker: bool
    cases: int


def best_threshold_dice(
    images: Sequence[npt.NDArray[np.float32]],
    labels: Sequence[npt.NDArray[np.integer]],
    rois: Sequence[npt.NDArray[np.bool_]],
    *,
    normalise: bool,
    smooth_sigma: float,
) -> ThresholdBaseline:
    """Return the best mean Dice that one threshold for all cases reaches inside the region of interest.

    An upper bound, not a method: threshold and direction (target darker or brighter) are chosen on these cases.

    Args:
        images: windowed intensities (D, H, W), any scale, the same for all cases.
        labels: (D, H, W); above 0 is target (classes pooled), −1 is ignored. Target outside the ROI counts as missed.
        rois: (D, H, W), where the threshold applies.
        normalise: subtract the median of the ROI of each case first.
        smooth_sigma: sd in voxels of a Gaussian applied first, averaging over voxels of the ROI only; 0 for none.

    Returns:
        The baseline over cases with target; dice and threshold are NaN when there is none.
    """
    values, targets, totals = [], [], []
    for image, label, roi in zip(images, labels, rois, strict=True):
        if not (label > 0).any():
            continue
        scored = roi & (label >= 0)
        values.append(_intensities(image, roi, normalise, smooth_sigma)[scored])
        targets.append(label[scored] > 0)
        totals.append(int((label > 0).sum()))
    if not values or not any(v.size for v in values):
        return ThresholdBaseline(float("nan"), float("nan"), True, len(values))
    low = min(float(v.min()) for v in values if v.size)
    high = max(float(v.max()) for v in values if v.size)
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    curves = [_dice_curves(v, t, n, edges) for v, t, n in zip(values, targets, totals, strict=True)]
    mean = np.mean(curves, axis=0)
    direction, best = np.unravel_index(int(mean.argmax()), mean.shape)
    return ThresholdBaseline(float(mean[direction, best]), float(edges[best]), bool(direction == 0), len(values))


def _intensities(
    image: npt.NDArray[np.float32], roi: npt.NDArray[np.bool_], normalise: bool, sigma: float
) -> npt.NDArray[np.float32]:
    """Normalise and smooth one case. Voxels outside the ROI have no say in the median or the average."""
    values = image.astype(np.float32)
    if normalise and roi.any():
        values = values - np.median(values[roi])
    if sigma > 0:
        weight = ndimage.gaussian_filter(roi.astype(np.float32), sigma)
        values = ndimage.gaussian_filter(np.where(roi, values, 0), sigma) / np.maximum(weight, np.float32(1e-6))
    return values


def _dice_curves(
    values: npt.NDArray[np.float32], target: npt.NDArray[np.bool_], total: int, edges: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return one case's Dice for every threshold, (2, bins + 1): target below it, target from it on."""
    every = np.histogram(values, edges)[0]
    hits = np.histogram(values[target], edges)[0]
    below = np.concatenate([[0], np.cumsum(every)]), np.concatenate([[0], np.cumsum(hits)])
    curves = []
    for predicted, found in (below, (below[0][-1] - below[0], below[1][-1] - below[1])):
        curves.append(2 * found / (predicted + total))
    return np.array(curves)
