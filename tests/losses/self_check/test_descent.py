from __future__ import annotations

import numpy as np
import pytest

from losses import target_maps
from losses.self_check.descent import probe
from losses.self_check.scenes import one_ball


def of_scene(finding, title):
    return next(run for run in finding.data["scenes"] if run["scene"] == title)


def test_map_dice_drops_the_core_of_a_ball_of_radius_8(subject):
    found = probe(subject("map_dice"))
    run = of_scene(found, "ball, R = 8")
    assert (run["voxels"], run["missed"], run["false"]) == (2109, 93, 0)
    assert found.outcome == "look"
    (text,) = [text for text in found.says if text.startswith("ball, R = 8")]
    assert "93 of 2109 lesion voxels missed (4.41 %: its core, everything deeper than 5.10 voxels)" in text


def test_the_voxels_that_map_dice_drops_are_the_deepest_ones(subject):
    run = of_scene(probe(subject("map_dice")), "ball, R = 8")
    dropped = np.array(run["differing_voxels"])
    depth = target_maps.compute("distance", one_ball().labels[0].numpy())
    assert len(dropped) == 93
    assert depth[tuple(dropped.T)].min() > np.sort(depth[depth > 0])[-94]
    assert run["slice"][9][9] == "o"


@pytest.mark.parametrize("name", ["dice", "cross_entropy", "tversky"])
def test_losses_whose_minimiser_is_the_mask_reach_it(subject, name):
    found = probe(subject(name))
    assert found.outcome == "ok"
    assert found.data["reached"] == 3
    assert all("the mask is reached after" in text for text in found.says)


def test_boundary_leaves_the_outermost_layer_of_lesions_undecided(subject):
    run = of_scene(probe(subject("boundary")), "ball, R = 8")
    depth = target_maps.compute("distance", one_ball().labels[0].numpy())
    assert run["undecided_lesion"] == np.count_nonzero(depth == 1)
    assert (run["missed"], run["false"], run["undecided_background"]) == (0, 0, 0)


def test_a_value_that_is_not_finite_ends_the_descent(subject, plugin, kinds, monkeypatch):
    class Explodes(kinds["Pooled"]):
        def compute(self, logits, labels, maps, voxel_weight):
            value = super().compute(logits, labels, maps, voxel_weight)
            return value / (value > 0.3)

    found = probe(subject(plugin(Explodes)))
    assert found.outcome == "broken"
    assert any("the value became ∞ after" in text for text in found.says)
