from __future__ import annotations

import pytest
import torch

import losses
from losses.self_check.scenes import two_lesions
from losses.self_check.special_masks import probe
from losses.self_check.subject import certain


def row(finding, patch, prediction):
    (found,) = [r for r in finding.data["rows"] if (r["patch"], r["prediction"]) == (patch, prediction)]
    return found


def test_values_of_dice_are_those_of_its_formula(subject):
    found = probe(subject("dice"))
    lesion, everything = 548, 13 * 13 * 32
    assert row(found, "large and small", "truth")["value"] == 0
    assert row(found, "large and small", "nothing")["value"] == pytest.approx(1, abs=1e-6)
    assert row(found, "large and small", "everything")["value"] == pytest.approx(1 - 2 * lesion / (lesion + everything))
    assert row(found, "all-lesion patch", ".5 everywhere")["value"] == pytest.approx(1 - 1 / 1.5)
    assert row(found, "lesion-free patch", "truth")["value"] == pytest.approx(0, abs=1e-8)


def test_map_dice_is_not_zero_at_the_truth(subject):
    scene = two_lesions()
    loss = losses.create("map_dice")
    expected = float(loss(certain(scene.labels), scene.labels, scene.maps(loss.required_maps)))
    found = probe(subject("map_dice"))
    assert row(found, "large and small", "truth")["value"] == pytest.approx(expected) == pytest.approx(0.0672, abs=1e-4)
    assert "At the truth the loss is 0.06721." in found.says


@pytest.mark.parametrize("name", ["boundary", "hausdorff_dt", "dice"])
def test_losses_without_gradient_on_a_lesion_free_patch_are_told(subject, name):
    found = probe(subject(name))
    assert found.outcome == "look"
    assert any("next to nothing acts against false positives" in text for text in found.says)


def test_cross_entropy_acts_on_a_lesion_free_patch_as_elsewhere(subject):
    found = probe(subject("cross_entropy"))
    assert found.outcome == "ok"
    norms = [row(found, patch, ".5 everywhere")["gradient_norm"] for patch in ("large and small", "lesion-free patch")]
    assert norms[0] == pytest.approx(norms[1]) == pytest.approx((2 * 0.25 / (13 * 13 * 32)) ** 0.5)


def test_a_loss_that_prefers_the_empty_mask_is_told(subject):
    found = probe(subject("map_dice", penalty_map="signed_norm_inverse", allow_signed=True))
    assert "Predicting nothing costs 1, no more than the truth." in found.says


def test_probing_leaves_the_random_state_alone(subject):
    before = torch.get_rng_state()
    probe(subject("dice"))
    assert torch.equal(before, torch.get_rng_state())
