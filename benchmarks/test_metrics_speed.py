"""All metrics of one large case, beside google's surface-distance and MONAI on the same masks.

The others compute what they offer of these metrics: no lesion records, VOE, RVD or RMSD, and surface-distance no 18
neighbours. What agrees and what differs by definition: docs/metrics.md.
"""

from __future__ import annotations

import numpy as np
import pytest
import surface_distance
import torch
from monai.metrics import (
    compute_average_surface_distance,
    compute_dice,
    compute_hausdorff_distance,
    compute_surface_dice,
)

from bench.evaluation import lesion_records, score

pytestmark = pytest.mark.filterwarnings("ignore:::monai", "ignore:::surface_distance")

SHAPE, SPACING_MM = (200, 256, 256), (1.5, 0.75, 0.75)
LESIONS, TOLERANCE_MM = 30, 1.0
FASTER_THAN_SURFACE_DISTANCE, FASTER_THAN_MONAI = 8, 10


def blobs(random, centres, radii_mm):
    """Ellipsoids whose semi-axes differ from the radius by up to a third."""
    mask = np.zeros(SHAPE, bool)
    for centre, radius in zip(centres, radii_mm, strict=True):
        axes = radius * random.uniform(0.75, 1.33, 3) / SPACING_MM
        start = np.maximum(np.floor(centre - axes), 0).astype(int)
        stop = np.minimum(np.ceil(centre + axes) + 1, SHAPE).astype(int)
        grid = np.ogrid[tuple(map(slice, start, stop))]
        inside = sum(((g - c) / a) ** 2 for g, c, a in zip(grid, centre, axes, strict=True)) <= 1
        mask[tuple(map(slice, start, stop))] |= inside
    return mask


@pytest.fixture(scope="module")
def masks():
    """Thirty lesions of 2 to 15 mm radius all over the volume, moved by some voxels; three missed, three invented."""
    random = np.random.default_rng(0)
    centres = random.uniform([15, 30, 30], np.array(SHAPE) - [15, 30, 30], (LESIONS + 3, 3))
    radii = np.exp(random.uniform(np.log(2), np.log(15), LESIONS + 3))
    moved = centres + random.normal(0, 1.5, centres.shape)
    return blobs(random, centres[:LESIONS], radii[:LESIONS]), blobs(random, moved[3:], radii[3:])


def test_case_metrics(interleave, masks):
    reference, prediction = masks
    one_hot = [torch.from_numpy(np.stack([~mask, mask])[None]) for mask in (prediction, reference)]

    def ours():
        return score(reference, prediction, SPACING_MM, tolerance_mm=TOLERANCE_MM), lesion_records(
            reference, prediction, SPACING_MM
        )

    def google():
        distances = surface_distance.compute_surface_distances(reference, prediction, SPACING_MM)
        return (
            surface_distance.compute_dice_coefficient(reference, prediction),
            surface_distance.compute_average_surface_distance(distances),
            surface_distance.compute_robust_hausdorff(distances, 100),
            surface_distance.compute_robust_hausdorff(distances, 95),
            surface_distance.compute_surface_dice_at_tolerance(distances, TOLERANCE_MM),
        )

    def monai():
        return (
            compute_dice(*one_hot, include_background=False),
            compute_average_surface_distance(*one_hot, symmetric=True, spacing=SPACING_MM),
            compute_hausdorff_distance(*one_hot, spacing=SPACING_MM),
            compute_hausdorff_distance(*one_hot, spacing=SPACING_MM, percentile=95),
            compute_surface_dice(*one_hot, class_thresholds=[TOLERANCE_MM], spacing=SPACING_MM),
        )

    assert ours()[0]["dice"] == pytest.approx(google()[0])
    assert ours()[0]["dice"] == pytest.approx(monai()[0].item())
    compared = interleave({"ours": ours, "surface-distance": google, "MONAI": monai})
    assert compared.ratio("surface-distance", "ours") >= FASTER_THAN_SURFACE_DISTANCE
    assert compared.ratio("MONAI", "ours") >= FASTER_THAN_MONAI
