"""Tumours and look-alikes, and where they may lie."""

from __future__ import annotations

import numpy as np
import pytest

from bench.data.phantom.grid import Grid
from bench.data.phantom.lesions import LesionMaker, make_bumps, make_tumours
from bench.data.phantom.lookalikes import make_lookalikes
from bench.data.phantom.organ import make_organ
from bench.data.phantom.placement import Placement

GRID = Grid((56, 80, 80), (3.0, 1.75, 1.75))
VOXEL_MM3 = 3.0 * 1.75 * 1.75


@pytest.fixture(scope="module")
def organ():
    return make_organ(np.random.default_rng(5), GRID)


def maker(organ) -> LesionMaker:
    return LesionMaker(GRID, organ, Placement(GRID, organ.depth_mm), make_bumps(np.random.default_rng(6), GRID))


def test_one_case_in_sixteen_is_without_tumours_and_none_has_more_than_nine(organ):
    counts = [len(make_tumours(np.random.default_rng(seed), maker(organ), 60.0)) for seed in range(150)]
    assert 3 <= counts.count(0) <= 20
    assert max(counts) <= 9
    assert 3 < np.mean(counts) < 4


def test_volumes_are_log_normal_from_85_mm3_on(organ):
    volumes = []
    for seed in range(60):
        for tumour in make_tumours(np.random.default_rng(1000 + seed), maker(organ), 60.0):
            volumes.append(((tumour.distance_mm < 0) & organ.mask[tumour.window]).sum() * VOXEL_MM3)
    assert min(volumes) > 85 - VOXEL_MM3
    assert 450 < np.median(volumes) < 750
    assert 0.8 < np.log(volumes).std() < 1.3


def test_lesions_of_all_kinds_lie_apart_and_bulge_out_of_the_liver_but_little(organ):
    made = maker(organ)
    lesions = make_tumours(np.random.default_rng(3), made, 60.0) + make_lookalikes(np.random.default_rng(4), made, 60.0)
    times_covered = np.zeros(GRID.size, dtype=int)
    for lesion in lesions:
        times_covered[lesion.window] += lesion.distance_mm < 0
    assert len(lesions) >= 4
    assert times_covered.max() == 1
    assert times_covered[~organ.mask].sum() < 0.1 * times_covered.sum()


def test_lookalikes_are_of_three_kinds_six_per_case(organ):
    lesions = [x for seed in range(60) for x in make_lookalikes(np.random.default_rng(seed), maker(organ), 60.0)]
    rimmed = sum(isinstance(lesion.hu, np.ndarray) for lesion in lesions)
    bright = sum(not isinstance(lesion.hu, np.ndarray) and lesion.hu > organ.mean_hu for lesion in lesions)
    cysts = sum(lesion.edge_mm == 1.0 for lesion in lesions)
    soft = sum(lesion.edge_mm >= 7.0 for lesion in lesions)
    assert rimmed + bright + cysts + soft == len(lesions)
    expected = np.array([0.7 * 2.5, 0.3 * 2.5, 1.5, 2.0])
    assert np.allclose(np.array([rimmed, bright, cysts, soft]) / 60, expected, atol=0.6)


def test_a_rim_is_bright_around_a_centre_like_a_tumour(organ):
    lesions = [x for seed in range(40) for x in make_lookalikes(np.random.default_rng(seed), maker(organ), 60.0)]
    for lesion in lesions:
        if isinstance(lesion.hu, np.ndarray):
            rim = (lesion.distance_mm < 0) & (lesion.distance_mm > -1.5)
            centre = lesion.distance_mm < -6
            assert lesion.hu[rim].min() > organ.mean_hu + 30
            assert np.allclose(lesion.hu[centre], 60.0, atol=0.1)


def test_placement_runs_out_of_room_without_an_endless_search():
    placement = Placement(GRID, np.full(GRID.size, 12.0, dtype=np.float32))
    rng = np.random.default_rng(0)
    assert placement.place(rng, 16.0) is None
    places = [placement.place(rng, 14.0) for _ in range(200)]
    found = [place for place in places if place is not None]
    assert 3 < len(found) < 200
    gaps = [np.linalg.norm(a - b) for i, a in enumerate(found) for b in found[:i]]
    assert min(gaps) > 2 * 14.0 + 4.0
