"""Distances between the surfaces of two masks, in millimetres, all from one query in each direction."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import numpy.typing as npt

from bench.evaluation.empties import DISTANCE, SCORE
from bench.evaluation.family import FAMILY_REGISTRY, Family, Metric
from bench.evaluation.pair import Mask, Pair

Indices = npt.NDArray[np.intp]
Distances = npt.NDArray[np.float64]

_ROUNDING = 1 + 1e-9
"""Three voxels of 0.8 mm are 2.4000000000000004 mm in floating point, and still within a tolerance of 2.4 mm."""

SLAB_VOXELS = 4_000_000
"""Surface voxels, about, that are looked at together: their tree takes some 300 MB."""


@FAMILY_REGISTRY.register("surface")
class Surface(Family):
    """With S_A, S_B the surface voxels of reference and prediction, and d the distances from each voxel of one surface
    to the nearest of the other, between voxel centres in mm:

    average_symmetric_surface_distance_mm  (Σd_AB + Σd_BA) / (|S_A| + |S_B|)
    max_surface_distance_mm                max over both directions
    rms_surface_distance_mm                √((Σd²_AB + Σd²_BA) / (|S_A| + |S_B|))
    hausdorff95_mm                         the larger of the two directions' 95th percentiles (linear interpolation)
    surface_dice                           share of S_A and S_B together that lies within `tolerance_mm` of the other

    A surface voxel is a voxel of the mask with a background voxel among its 18 neighbours (those that share a face or
    an edge; in 2D the 8 that share an edge or a corner); outside the volume is background.
    Source: the definitions of the LiTS scorer (Bilic et al. 2023); surface Dice after Nikolov et al. 2018, on surface
    voxels instead of surface area. The neighbourhood changes the values: other tools use 6 neighbours.
    """

    rank = 20
    metrics = (
        Metric("average_symmetric_surface_distance_mm", "ASSD", "mm", "lower", DISTANCE),
        Metric("max_surface_distance_mm", "MSD", "mm", "lower", DISTANCE),
        Metric("rms_surface_distance_mm", "RMSD", "mm", "lower", DISTANCE),
        Metric("hausdorff95_mm", "HD95", "mm", "lower", DISTANCE),
        Metric("surface_dice", "surface Dice", "", "higher", SCORE),
    )

    def measure(self, pair: Pair) -> dict[str, float]:
        directed = surface_distances(pair)
        both = np.concatenate(directed)
        return {
            "average_symmetric_surface_distance_mm": float(both.mean()),
            "max_surface_distance_mm": float(both.max()),
            "rms_surface_distance_mm": math.sqrt(float(np.square(both).mean())),
            "hausdorff95_mm": max(float(np.percentile(distances, 95)) for distances in directed),
            "surface_dice": float(np.mean(both <= pair.tolerance_mm * _ROUNDING)),
        }


def surface_distances(pair: Pair) -> tuple[Distances, Distances]:
    """Distances in mm of each reference surface voxel to the prediction's surface, and the other way round."""
    reference, prediction = surface_voxels(pair.reference), surface_voxels(pair.prediction)
    shape, spacing = pair.reference.shape, pair.spacing_mm
    return _directed(reference, prediction, shape, spacing), _directed(prediction, reference, shape, spacing)


def surface_voxels(mask: Mask) -> Indices:
    """Flat indices of the surface voxels of a mask whose outermost layer is background.

    Looks up the neighbours of the mask's own voxels only: targets here fill well under a hundredth of their box.
    """
    flat = np.ascontiguousarray(mask).ravel()
    voxels = np.flatnonzero(flat)
    interior = np.ones(len(voxels), dtype=np.bool_)
    for step in _neighbour_steps(mask.shape):
        interior &= flat[voxels + step]
    return voxels[~interior]


def _neighbour_steps(shape: tuple[int, ...]) -> list[int]:
    """How far apart in flat indices a voxel and each of its 18 (in 2D: 8) neighbours are."""
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    offsets = [offset for offset in product((-1, 0, 1), repeat=len(shape)) if 1 <= sum(map(abs, offset)) <= 2]
    return [sum(step * stride for step, stride in zip(offset, strides, strict=True)) for offset in offsets]


def _directed(source: Indices, target: Indices, shape: tuple[int, ...], spacing: tuple[float, ...]) -> Distances:
    """Distance of each source voxel to the nearest target voxel; voxels in both are at distance 0 and not queried."""
    apart = ~np.isin(source, target, assume_unique=True)
    distances = np.zeros(len(source))
    distances[apart] = _nearest(source[apart], target, shape, spacing)
    return distances


def _nearest(source: Indices, target: Indices, shape: tuple[int, ...], spacing: tuple[float, ...]) -> Distances:
    """Distance of each source voxel to the nearest target voxel, both in ascending order of flat index.

    Slab by slab along the first axis, so that surfaces of 10⁸ voxels, which a network that predicts noise has, need
    no tree of all of them. A slab looks for neighbours within a margin; a distance beyond the margin is a guess, and
    those voxels look again in a wider one.
    """
    distances = np.full(len(source), np.inf)
    plane = math.prod(shape[1:])
    thickness = max(1, math.ceil(shape[0] * SLAB_VOXELS / max(len(source), len(target), SLAB_VOXELS)))
    for first in range(0, shape[0], thickness):
        slab = slice(*np.searchsorted(source, (first * plane, (first + thickness) * plane)))
        margin, asking = thickness, np.arange(slab.start, slab.stop)
        while asking.size:
            near = slice(*np.searchsorted(target, ((first - margin) * plane, (first + thickness + margin) * plane)))
            distances[asking] = _query(source[asking], target[near], shape, spacing)
            if near == slice(0, len(target)):
                break
            asking = asking[distances[asking] > margin * spacing[0]]
            margin *= 4
    return distances


def _query(source: Indices, target: Indices, shape: tuple[int, ...], spacing: tuple[float, ...]) -> Distances:
    """Distances by a KD-tree; infinite where there is no target."""
    from scipy.spatial import cKDTree

    if not target.size:
        return np.full(len(source), np.inf)
    tree = cKDTree(_positions(target, shape, spacing), balanced_tree=False, compact_nodes=False)
    distances: Distances = tree.query(_positions(source, shape, spacing))[0]
    return distances


def _positions(voxels: Indices, shape: tuple[int, ...], spacing: tuple[float, ...]) -> npt.NDArray[np.float64]:
    positions: npt.NDArray[np.float64] = np.stack(np.unravel_index(voxels, shape), axis=1) * np.asarray(spacing)
    return positions
