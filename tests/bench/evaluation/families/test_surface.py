"""Surface distances against all pairwise distances, worked out voxel by voxel, and against public libraries."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import surface_distance
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from monai.metrics import (
    compute_average_surface_distance,
    compute_dice,
    compute_hausdorff_distance,
    compute_iou,
    compute_surface_dice,
)

from bench.evaluation.families import surface
from bench.evaluation.families.surface import surface_distances
from bench.evaluation.pair import make_pair
from bench.evaluation.scoring import score

pytestmark = pytest.mark.filterwarnings("ignore:::monai", "ignore:::surface_distance")

THICK = (3.0, 0.8, 0.7)


def brute_surface(mask, most_steps):
    """Voxels with a neighbour outside the mask or the volume; neighbours differ by one in 1 … `most_steps` axes."""
    inside = {tuple(index) for index in np.argwhere(mask)}
    offsets = [o for o in product((-1, 0, 1), repeat=mask.ndim) if 1 <= sum(abs(i) for i in o) <= most_steps]
    on_surface = [v for v in inside if any(tuple(np.add(v, o)) not in inside for o in offsets)]
    return np.array(sorted(on_surface), dtype=np.float64)


def brute_percentile(values, percent):
    """Linear interpolation between the closest ranks."""
    ordered = sorted(values)
    rank = (len(ordered) - 1) * percent / 100
    low, high = math.floor(rank), math.ceil(rank)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


def brute_force(reference, prediction, spacing_mm, tolerance_mm=1.0, most_steps=2):
    a, b = (brute_surface(mask, most_steps) * np.array(spacing_mm) for mask in (reference, prediction))
    distances = np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(-1))
    there, back = distances.min(1), distances.min(0)
    pooled = [*there, *back]
    return {
        "average_symmetric_surface_distance_mm": math.fsum(pooled) / len(pooled),
        "max_surface_distance_mm": max(pooled),
        "rms_surface_distance_mm": math.sqrt(math.fsum(d * d for d in pooled) / len(pooled)),
        "hausdorff95_mm": max(brute_percentile(there, 95), brute_percentile(back, 95)),
        "surface_dice": sum(d <= tolerance_mm + 1e-9 for d in pooled) / len(pooled),
    }


def ball(shape, centre, radii):
    return sum(((axis - c) / r) ** 2 for axis, c, r in zip(np.indices(shape), centre, radii, strict=True)) <= 1


def box(shape, *slices):
    mask = np.zeros(shape, dtype=bool)
    mask[slices] = True
    return mask


def speckle(shape, share, seed):
    return np.random.default_rng(seed).random(shape) < share


BATTERY = {
    "thick slices": (ball((12, 20, 21), (5, 9, 9), (3, 6, 7)), ball((12, 20, 21), (6, 10, 9), (3, 5, 8)), THICK),
    "touching the border": (ball((9, 12, 13), (0, 0, 6), (4, 5, 5)), ball((9, 12, 13), (1, 1, 5), (5, 5, 5)), THICK),
    "one voxel against a ball": (box((9, 9, 9), 0, 0, 0), ball((9, 9, 9), (5, 5, 5), (3, 3, 3)), THICK),
    "the whole volume against one voxel": (np.ones((4, 5, 6), bool), box((4, 5, 6), 2, 2, 2), THICK),
    "the whole volume against itself": (np.ones((4, 5, 6), bool), np.ones((4, 5, 6), bool), THICK),
    "speckle": (speckle((7, 8, 9), 0.3, 0), speckle((7, 8, 9), 0.6, 1), THICK),
    "dense speckle, so that some voxels are interior": (
        speckle((9, 9, 9), 0.97, 2),
        speckle((9, 9, 9), 0.95, 3),
        THICK,
    ),
    "one slice in 3D": (speckle((1, 12, 12), 0.5, 4), speckle((1, 12, 12), 0.5, 5), THICK),
    "two dimensions": (ball((30, 31), (14, 14), (9, 6)), ball((30, 31), (16, 12), (7, 8)), (0.5, 1.25)),
    "two dimensions at the border": (speckle((9, 11), 0.8, 6), speckle((9, 11), 0.8, 7), (0.5, 1.25)),
}


@pytest.mark.parametrize("name", BATTERY)
def test_every_distance_agrees_with_all_pairwise_distances(name):
    reference, prediction, spacing_mm = BATTERY[name]
    record = score(reference, prediction, spacing_mm, tolerance_mm=1.6)
    for key, expected in brute_force(reference, prediction, spacing_mm, tolerance_mm=1.6).items():
        assert record[key] == pytest.approx(expected, rel=0, abs=1e-9), key


@pytest.mark.parametrize("most", [1, 20, 200])
@pytest.mark.parametrize("seed", range(6))
def test_surfaces_too_large_for_one_tree_give_the_same_distances_slab_by_slab(monkeypatch, most, seed):
    random = np.random.default_rng(seed)
    reference = random.random((40, 9, 7)) < 0.02
    prediction = np.zeros_like(reference)
    prediction[random.integers(40), 4, 3] = prediction[random.integers(40), 2, 3] = True
    prediction |= random.random(reference.shape) < (0.1 if seed % 2 else 0)
    spacing_mm = (0.4, 1.1, 2.0)
    whole = surface_distances(make_pair(reference, prediction, spacing_mm))
    monkeypatch.setattr(surface, "SLAB_VOXELS", most)
    slabs = surface_distances(make_pair(reference, prediction, spacing_mm))
    for one, other in zip(whole, slabs, strict=True):
        assert np.array_equal(one, other)


def test_ignored_voxels_leave_both_masks_and_the_cut_is_surface():
    reference, prediction, spacing_mm = BATTERY["thick slices"]
    ignore = box(reference.shape, slice(None), slice(8, 11), slice(None))
    record = score(reference, prediction, spacing_mm, ignore=ignore)
    for key, expected in brute_force(reference & ~ignore, prediction & ~ignore, spacing_mm).items():
        assert record[key] == pytest.approx(expected, rel=0, abs=1e-9), key


@given(
    masks=st.tuples(*[arrays.arrays(bool, (3, 4, 4)).filter(np.any)] * 2),
    spacing_mm=st.tuples(*[st.floats(0.2, 5)] * 3),
)
@settings(max_examples=40, deadline=None)
def test_any_two_masks_agree_with_all_pairwise_distances(masks, spacing_mm):
    expected = brute_force(*masks, spacing_mm)
    record = score(*masks, spacing_mm)
    for key in set(expected) - {"surface_dice"}:
        assert record[key] == pytest.approx(expected[key], rel=0, abs=1e-9), key


@given(masks=st.tuples(*[arrays.arrays(bool, (4, 5, 3)).filter(np.any)] * 2), axes=st.permutations(range(3)))
@settings(max_examples=25, deadline=None)
def test_scores_do_not_depend_on_direction_order_of_axes_or_memory_layout(masks, axes):
    a, b = masks
    usual = score(a, b, THICK)
    turned = score(np.asfortranarray(b.transpose(axes)[::-1]), a.transpose(axes)[::-1], [THICK[axis] for axis in axes])
    for key in brute_force(a, b, THICK):
        assert turned[key] == pytest.approx(usual[key], rel=1e-12), key


def one_hot(mask):
    return torch.from_numpy(np.stack([~mask, mask])[None].astype(np.float32))


def monai_scores(reference, prediction, spacing_mm, tolerance_mm):
    b, a = one_hot(prediction), one_hot(reference)
    return {
        "dice": compute_dice(b, a, include_background=False).item(),
        "volumetric_overlap_error": 1 - compute_iou(b, a, include_background=False).item(),
        "average_symmetric_surface_distance_mm": compute_average_surface_distance(
            b, a, symmetric=True, spacing=spacing_mm
        ).item(),
        "max_surface_distance_mm": compute_hausdorff_distance(b, a, spacing=spacing_mm).item(),
        "hausdorff95_mm": compute_hausdorff_distance(b, a, spacing=spacing_mm, percentile=95).item(),
        "surface_dice": compute_surface_dice(b, a, class_thresholds=[tolerance_mm], spacing=spacing_mm).item(),
    }


BOXES = {
    "inside": (np.s_[4:10, 5:15, 6:16], np.s_[5:12, 5:14, 8:17]),
    "shifted": (np.s_[4:10, 5:15, 6:16], np.s_[6:12, 5:15, 6:16]),
    "at the border": (np.s_[0:10, 5:15, 6:26], np.s_[0:12, 5:14, 8:26]),
}


@pytest.mark.parametrize("name", BOXES)
def test_boxes_score_as_in_monai_because_their_surface_is_the_same_with_6_and_18_neighbours(name):
    reference, prediction = (box((20, 24, 26), *slices) for slices in BOXES[name])
    record = score(reference, prediction, THICK, tolerance_mm=0.9)
    for key, expected in monai_scores(reference, prediction, THICK, 0.9).items():
        assert record[key] == pytest.approx(expected, abs=2e-6), key


@pytest.mark.parametrize("name", BOXES)
def test_dice_and_the_largest_distance_of_boxes_agree_with_surface_distance(name):
    """Its surface elements lie between voxels and carry areas, so that means and surface Dice are other quantities."""
    reference, prediction = (box((20, 24, 26), *slices) for slices in BOXES[name])
    record = score(reference, prediction, THICK)
    distances = surface_distance.compute_surface_distances(reference, prediction, THICK)
    assert record["dice"] == pytest.approx(surface_distance.compute_dice_coefficient(reference, prediction))
    assert record["max_surface_distance_mm"] == pytest.approx(surface_distance.compute_robust_hausdorff(distances, 100))


def test_overlap_agrees_with_monai_on_any_mask():
    reference, prediction, spacing_mm = BATTERY["speckle"]
    record, expected = score(reference, prediction, spacing_mm), monai_scores(reference, prediction, spacing_mm, 1.0)
    for key in ("dice", "volumetric_overlap_error"):
        assert record[key] == pytest.approx(expected[key], abs=2e-6), key


def test_the_neighbourhood_is_a_part_of_the_definition():
    """A shifted ellipsoid with thick slices: 18 neighbours here, 6 in MONAI, and a third of ASSD between them."""
    reference = ball((20, 30, 30), (10, 15, 15), (5, 9, 9))
    prediction = np.roll(reference, 1, axis=0)
    spacing_mm, key = (2.5, 0.8, 0.8), "average_symmetric_surface_distance_mm"
    ours = score(reference, prediction, spacing_mm)[key]
    theirs = monai_scores(reference, prediction, spacing_mm, 1.0)[key]
    assert ours == pytest.approx(brute_force(reference, prediction, spacing_mm, most_steps=2)[key])
    assert theirs == pytest.approx(brute_force(reference, prediction, spacing_mm, most_steps=1)[key], rel=1e-5)
    assert (ours, theirs) == (pytest.approx(0.7474, abs=1e-4), pytest.approx(1.0643, abs=1e-4))
