"""Vessels and bile ducts: tubes inside the liver."""

from __future__ import annotations

import numpy as np

from bench.data.phantom.grid import Grid
from bench.data.phantom.organ import make_organ
from bench.data.phantom.tubes import Twig, render
from bench.data.phantom.vessels import add_vessels, make_ducts

GRID = Grid((28, 40, 40), (6.0, 3.5, 3.5))


def test_vessels_brighten_a_small_share_of_the_liver_by_25_to_50_hu():
    for seed in range(5):
        organ = make_organ(np.random.default_rng(seed), GRID)
        added = add_vessels(np.random.default_rng(seed), GRID, organ)
        share = (added > 5).sum() / organ.mask.sum()
        assert 15 < added.max() <= 50
        assert added.min() == 0
        assert 0.002 < share < 0.15
        assert added[~organ.mask].sum() < 0.1 * added.sum()


def test_two_cases_in_five_have_dark_ducts():
    organ = make_organ(np.random.default_rng(0), GRID)
    ducts = [make_ducts(np.random.default_rng(seed), GRID, organ) for seed in range(100)]
    assert 25 <= sum(bool(share.any()) for share, _ in ducts) <= 55
    assert all(10 <= hu <= 45 for _, hu in ducts)


def test_a_tube_is_drawn_with_its_cross_section_although_thinner_than_two_voxels():
    grid = Grid((9, 21, 21), (1.0, 1.0, 1.0))
    line = [Twig(np.array([z, 0.0, 0.0]), np.array([1.0, 0, 0]), 2.0) for z in np.arange(-4, 5, 0.5)]
    middle = render(grid, line)[4]
    assert abs(middle.sum() - np.pi * 4) < 1.0
    assert middle[10, 10] == 1
    assert middle[0, 0] == 0
