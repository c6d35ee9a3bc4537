"""NI-DM of a 256 × 256 × 200 mask beside one whole-volume transform and the plain loop over components.

The three take turns within every round, so that a busy moment meets them alike; the record has the times of the other
two, and how many times longer they take, in `extra`.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter

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


@pytest.mark.parametrize(("make", "rounds"), [(lesions, 30), (organ, 30)])
def test_norm_inverse(benchmark, make, rounds):
    """Goal: 30 lesions at least 8 times faster than one whole-volume transform; an organ never slower than that."""
    mask, seconds = make(), {whole_volume: [], loop_over_components: []}
    np.testing.assert_allclose(compute("norm_inverse", mask), loop_over_components(mask), atol=1e-6)

    def others():
        for other, times in seconds.items():
            start = perf_counter()
            other(mask)
            times.append(perf_counter() - start)

    benchmark.pedantic(lambda: compute("norm_inverse", mask), setup=others, rounds=rounds, warmup_rounds=1)
    for other, times in seconds.items():
        benchmark.extra_info[f"{other.__name__}_median_seconds"] = median(times)
        benchmark.extra_info[f"{other.__name__}_times_longer"] = median(times) / benchmark.stats.stats.median


@pytest.mark.parametrize("kind", ["signed_norm_inverse", "nearest_lesion", "border"])
def test_kinds_that_look_outside(benchmark, kind):
    """No goal: about one whole-volume transform for those that need the distance of every voxel."""
    mask = lesions()
    benchmark.pedantic(lambda: compute(kind, mask), rounds=5, warmup_rounds=1)
