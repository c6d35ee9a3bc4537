"""Target maps by brute force: every voxel against every voxel, in voxel units."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def components(mask: Mask) -> list[Mask]:
    """The lesions of a mask, touching at faces, edges or corners (26 neighbours in 3D, 8 in 2D)."""
    ids, count = ndimage.label(mask, structure=np.ones((3,) * mask.ndim))
    return [ids == k for k in range(1, count + 1)]


def distance_to(target: Mask) -> Floats:
    """Euclidean distance of every voxel to the nearest voxel of `target`; infinite where `target` is empty."""
    points = np.argwhere(target)
    distances = np.full(target.shape, np.inf)
    for voxel in np.ndindex(target.shape):
        if len(points):
            distances[voxel] = np.sqrt(((points - np.array(voxel)) ** 2).sum(axis=1)).min()
    return distances


def depth_of(mask: Mask) -> Floats:
    """D of the mask's voxels: distance to the nearest background voxel.

    Beyond the sheet, which calls it undefined, as the maps document it: a mask without background has it all around.
    """
    if mask.all():
        return distance_to(~np.pad(mask, 1))[(slice(1, -1),) * mask.ndim]
    return distance_to(~mask)


def norm_inverse(mask: Mask) -> Floats:
    """NI-DM: (M + 1 - D) / M per lesion, D the distance to the nearest background voxel, M its maximum; 0 outside."""
    depth, result = depth_of(mask), np.zeros(mask.shape)
    for lesion in components(mask):
        result[lesion] = (depth[lesion].max() + 1 - depth[lesion]) / depth[lesion].max()
    return result


def distance(mask: Mask) -> Floats:
    """O-DM: distance to the nearest background voxel, 0 outside."""
    return np.where(mask, depth_of(mask), 0.0)


def signed_distance(mask: Mask) -> Floats:
    """Distance to the mask outside, -(D - 1) inside (so 0 on the rim); all 0 where there is no mask."""
    if not mask.any():
        return np.zeros(mask.shape)
    return np.where(mask, -(depth_of(mask) - 1), distance_to(mask))


def both_sides_distance(mask: Mask) -> Floats:
    """Distance to the other side: to the background inside, to the mask outside; all 0 where there is no mask."""
    if not mask.any():
        return np.zeros(mask.shape)
    return np.where(mask, depth_of(mask), distance_to(mask))


def region_wise(mask: Mask, ignored: Mask, background: bool) -> Floats:
    """-D / max D inside, +1 outside; the maximum is over voxels that count. -1 where all is background."""
    depth = distance_to(~mask) if background else depth_of(mask)
    if np.isinf(depth).all():
        return np.full(mask.shape, -1.0)
    return np.where(mask, -depth / max(depth[mask & ~ignored].max(initial=0.0), 1.0), 1.0)


def border(mask: Mask, w0: float = 10.0, sigma: float = 5.0) -> Floats:
    """U-Net's border term w0 exp(-(d1 + d2)² / 2σ²), d1 and d2 to the nearest and second nearest lesion."""
    lesions = components(mask)
    if len(lesions) < 2:
        return np.zeros(mask.shape)
    nearest = np.sort(np.stack([distance_to(lesion) for lesion in lesions]), axis=0)
    return w0 * np.exp(-((nearest[0] + nearest[1]) ** 2) / (2 * sigma**2))


def nearest_lesion(mask: Mask) -> list[Mask]:
    """The Voronoi cells of the lesions: for each the voxels that are nearest to it (ties to the first)."""
    lesions = components(mask)
    if not lesions:
        return []
    owner = np.argmin(np.stack([distance_to(lesion) for lesion in lesions]), axis=0)
    return [owner == k for k in range(len(lesions))]


def per_class(function, labels: Tensor, classes: int) -> Tensor:
    """`function` of every sample's foreground masks: (B, C - 1, *S)."""
    stack = np.stack([[function((sample == c).numpy()) for c in range(1, classes)] for sample in labels])
    return torch.from_numpy(stack)
