"""Depths from small boxes, from one transform where boxes overlap, and where there is nothing to measure to."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from losses.target_maps.lesions import Lesions, depths, grow


@pytest.fixture
def transformed(monkeypatch):
    """Voxels of every distance transform that is made."""
    sizes = []
    real = ndimage.distance_transform_edt

    def counted(mask, **options):
        sizes.append(mask.size)
        return real(mask, **options)

    monkeypatch.setattr(ndimage, "distance_transform_edt", counted)
    return sizes


def rings():
    """Lesions inside each other, so that their boxes overlap."""
    rows, columns = np.ogrid[-10:11, -10:11]
    return np.maximum(abs(rows), abs(columns)) % 4 < 2


def test_lesions_far_apart_cost_their_own_boxes(transformed):
    mask = np.zeros((100, 100, 100), bool)
    mask[2:6, 2:6, 2:6] = mask[90:94, 90:94, 90:94] = True
    Lesions(mask, (1, 1, 1)).depth  # noqa: B018 - computed on first access
    assert transformed == [6**3, 6**3]


def test_lesions_whose_boxes_overlap_share_one_transform(transformed):
    mask = rings()
    lesions = Lesions(mask, (1, 1))
    assert lesions.count > 1
    lesions.depth  # noqa: B018
    assert len(transformed) == 1


def test_both_ways_give_the_same_depths():
    mask = rings()
    shared = Lesions(mask, (1, 1))
    wide = np.zeros((300, 300), bool)
    wide[:21, :21], wide[290:295, 290:295] = mask, True
    apart = Lesions(wide, (1, 1))
    assert apart.spread(apart.depth)[:21, :21].tolist() == shared.spread(shared.depth)[:21, :21].tolist()


def test_an_organ_costs_its_own_box(transformed):
    mask = np.zeros((50, 60, 70), bool)
    mask[10:30, 10:30, 10:30] = True
    Lesions(mask, (1, 1, 1)).depth  # noqa: B018
    assert transformed == [22**3]


def test_per_lesion_values_are_those_of_each_lesion():
    mask = np.zeros((9, 20), bool)
    mask[1:8, 1:8] = mask[2:5, 12:15] = True
    lesions = Lesions(mask, (1, 1))
    assert lesions.deepest[1:].tolist() == [4, 2]
    assert lesions.rim[1:].tolist() == [1, 1]
    assert lesions.boxes == ((slice(1, 8), slice(1, 8)), (slice(2, 5), slice(12, 15)))


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_memory_layout_changes_nothing(order):
    mask = np.asarray(np.random.default_rng(0).random((7, 8, 9)) < 0.4, order=order)
    lesions = Lesions(mask, (1, 1, 1))
    assert (lesions.spread(lesions.number) > 0).tolist() == mask.tolist()


def test_outside_is_the_distance_to_the_nearest_lesion_voxel():
    mask = np.random.default_rng(1).random((6, 7, 30)) < 0.02
    spacing = (5.0, 0.7, 0.8)
    expected = ndimage.distance_transform_edt(~mask, sampling=spacing)
    np.testing.assert_allclose(Lesions(mask, spacing).outside(), expected, rtol=1e-6)


def test_no_lesion_leaves_nothing():
    lesions = Lesions(np.zeros((4, 5), bool), (1, 1))
    assert (lesions.count, lesions.boxes, len(lesions.voxels), len(lesions.depth)) == (0, (), 0, 0)
    assert not lesions.spread(lesions.depth).any()


def test_a_full_array_has_background_around_it():
    assert depths(np.ones((3, 3), bool), (1, 1)).tolist() == [[1, 1, 1], [1, 2, 1], [1, 1, 1]]
    assert depths(np.ones((1, 1, 1), bool), (5.0, 0.7, 0.6))[0, 0, 0] == 0.6


def test_boxes_grow_within_the_array():
    assert grow((slice(0, 2), slice(3, 4)), (5, 5)) == (slice(0, 3), slice(2, 5))
    assert grow((slice(2, 3),), (9,), (4,)) == (slice(0, 7),)
