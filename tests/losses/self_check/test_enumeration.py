from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from losses import target_maps
from losses.self_check.enumeration import all_masks, probe
from losses.self_check.scenes import twelve_voxels


def test_every_mask_comes_once():
    masks = all_masks(twelve_voxels())
    assert masks.shape == (4096, 1, 2, 6)
    assert len(torch.unique(masks.flatten(1), dim=0)) == 4096


def test_the_minimiser_of_map_dice_is_the_one_that_plain_numpy_finds(subject):
    phi = target_maps.compute("norm_inverse", twelve_voxels().labels[0].numpy()).ravel().astype(np.float64)

    def cost(mask):
        return 1 - (2 * (mask * phi).sum() + 1e-5) / (mask.sum() + phi.sum() + 1e-5)

    best = min((np.array(bits) for bits in itertools.product((0, 1), repeat=12)), key=cost)
    found = probe(subject("map_dice"))
    assert found.outcome == "look"
    assert found.data["smallest_value"] == pytest.approx(cost(best), abs=1e-7)
    rows = ["".join(".#"[bit] for bit in part) for part in best.reshape(2, 6)]
    assert found.data["first_minimisers"] == [rows] == [[".##..#", ".##..."]]
    assert "3 masks cost less than its 0.1667" in found.says[0]


def test_the_mask_is_the_only_minimiser_of_dice(subject):
    found = probe(subject("dice"))
    assert found.outcome == "ok"
    assert found.data["first_minimisers"] == [["###..#", "###..."]]
    # one voxel missed of seven: 1 − 12/13; one voxel too many: 1 − 14/15
    assert found.says == ("The mask is the only minimiser: 0, the next best 0.06667.",)


def test_masks_that_tie_with_the_truth_are_counted(subject):
    found = probe(subject("boundary"))  # three pixels of the outermost layers are free
    assert found.data["minimisers"] == 8
    assert found.data["truth_is_a_minimiser"]
    assert found.outcome == "look"
