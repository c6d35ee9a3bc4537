"""NI-DM."""

from __future__ import annotations

import numpy as np
import pytest

from losses.target_maps import compute


def ball(radius, shape=None, centre=None):
    shape = shape or (2 * radius + 5,) * 3
    centre = centre or [size // 2 for size in shape]
    grid = np.ogrid[tuple(slice(size) for size in shape)]
    return sum((axis - at) ** 2 for axis, at in zip(grid, centre, strict=True)) <= radius**2


def test_it_is_one_at_the_rim_and_falls_inwards(equals):
    equals(
        "norm_inverse",
        lambda mask: np.where(mask.foreground, (mask.deepest + mask.rim - mask.depth) / mask.deepest.clip(1e-9), 0),
    )


@pytest.mark.parametrize(
    ("radius", "voxels", "smallest", "mean"),
    [(0, 1, 1, 1), (1, 7, 0.707, 0.958), (2, 33, 0.447, 0.950), (5, 515, 0.196, 0.869), (12, 7153, 0.083, 0.808)],
)
def test_balls_have_the_known_values(radius, voxels, smallest, mean):
    mask = ball(radius)
    inside = compute("norm_inverse", mask)[mask]
    assert inside.size == voxels
    assert inside.max() == 1
    assert inside.min() == pytest.approx(smallest, abs=5e-4)
    assert inside.mean() == pytest.approx(mean, abs=5e-4)


def test_the_plus_one_of_the_paper_is_one_voxel_in_millimetres_too():
    mask = ball(5)
    for spacing in (0.7, 2.0):
        in_mm = compute("norm_inverse", mask, (spacing,) * 3)
        np.testing.assert_allclose(in_mm, compute("norm_inverse", mask), rtol=1e-6)
    assert compute("norm_inverse", mask, (2.5, 0.7, 0.7)).max() == 1


def test_lesions_do_not_know_of_each_other():
    shape = (20, 24, 60)
    lesions = [ball(6, shape, (10, 12, 8)), ball(3, shape, (10, 12, 19)), ball(8, shape, (9, 12, 45))]
    alone = sum(compute("norm_inverse", lesion) for lesion in lesions)
    np.testing.assert_array_equal(compute("norm_inverse", np.any(lesions, 0)), alone)


def test_a_lesion_around_another_is_as_if_alone():
    shell = np.zeros((15, 15), bool)
    shell[1:14, 1:14] = True
    shell[4:11, 4:11] = False
    core = np.zeros_like(shell)
    core[6:9, 6:9] = True
    alone = compute("norm_inverse", shell) + compute("norm_inverse", core)
    np.testing.assert_array_equal(compute("norm_inverse", shell | core), alone)


def test_lesions_that_touch_at_a_corner_are_one():
    mask = np.zeros((9, 9, 9), bool)
    mask[1:6, 1:6, 1:6] = mask[6:8, 6:8, 6:8] = True
    assert compute("norm_inverse", mask)[6, 6, 6] == 1
    assert compute("lesion_id", mask).max() == 1
    assert compute("norm_inverse", mask)[7, 7, 7] == 1
