"""NI-DM of a 256 × 256 × 200 mask beside one whole-volume transform and the plain loop over components.

About five minutes on a quiet machine.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from losses.target_maps import compute

SHAPE = (200, 256, 256)


def lesions():
    """30 balls of radius 2 to 12 voxels, none touching another, in the middle half of the volume."""
    random = np.random.default_rng(0)
    mask = np.zeros(SHAPE, np.bool_)
    placed = 0
    while placed < 30:
        radius = random.uniform(2, 12)
        centre = [int(random.integers(size // 4, size - size // 4)) for size in SHAPE]
        grid = np.ogrid[tuple(slice(-15, 16) for _ in SHAPE)]
        box = tuple(slice(at - 15, at + 16) for at in centre)
        if not mask[box].any():
            mask[box] = sum(axis**2 for axis in grid) <= radius**2
            placed += 1
    return mask


def organ():
    """An ellipsoid that fills 16 % of the volume, as large as a liver in an abdominal scan."""
    grid = np.ogrid[tuple(slice(-size // 2, size // 2) for size in SHAPE)]
    return sum((axis / radius) ** 2 for axis, radius in zip(grid, (70, 75, 95), strict=True)) <= 1


def whole_volume(mask):
    return ndimage.distance_transform_edt(mask)


def loop_over_components(mask):
    """NI-DM as it is usually written: one whole-volume pass for each component."""
    distance, numbers = whole_volume(mask), ndimage.label(mask, np.ones((3, 3, 3)))
    result = np.zeros(mask.shape, np.float32)
    for number in range(1, numbers[1] + 1):
        component = numbers[0] == number
        deepest = distance[component].max()
        result[component] = (deepest + 1 - distance[component]) / deepest
    return result


@pytest.mark.parametrize(("make", "times_faster"), [(lesions, 8), (organ, 1)])
def test_norm_inverse(interleave, make, times_faster):
    """Goal: 30 lesions 8 times faster than one whole-volume transform; an organ never slower than that."""
    mask = make()
    np.testing.assert_allclose(compute("norm_inverse", mask), loop_over_components(mask), atol=1e-6)
    result = interleave(
        {
            "ours": lambda: compute("norm_inverse", mask),
            "whole_volume": lambda: whole_volume(mask),
            "loop_over_components": lambda: loop_over_components(mask),
        },
        attempts=1,
    )
    assert result.ratio("whole_volume", to="ours") >= times_faster


@pytest.mark.parametrize("kind", ["signed_norm_inverse", "nearest_lesion", "border"])
def test_kinds_that_look_outside(interleave, kind):
    """No goal: those that need the distance of every voxel cost about one whole-volume transform."""
    mask = lesions()
    interleave(
        {"ours": lambda: compute(kind, mask), "whole_volume": lambda: whole_volume(mask)},
        rounds=5,
        warm_up=1,
        attempts=1,
    )
