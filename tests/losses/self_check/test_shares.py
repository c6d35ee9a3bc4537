from __future__ import annotations

import pytest

from losses.self_check.shares import probe


def test_pooling_both_channels_ignores_the_split_of_false_positives_and_false_negatives(subject, plugin, kinds):
    name = plugin(kinds["Pooled"])
    found = [probe(subject(name, fp_weight=w, fn_weight=1 - w)).data for w in (0.3, 0.7)]
    assert found[0]["costs"] == pytest.approx(found[1]["costs"], rel=1e-12)
    assert found[0]["costs"]["small_lesion_missed"] == pytest.approx(found[0]["costs"]["false_blob"], rel=1e-9)
    assert "exactly as much as missing it" in probe(subject(name)).says[-1]


def test_tversky_prices_missed_lesions_above_false_ones_by_its_weights(subject):
    lesion, blob = 548, 33
    costs = probe(subject("tversky")).data["costs"]
    assert costs["small_lesion_missed"] == pytest.approx(0.7 * blob / (lesion - blob + 0.7 * blob), rel=1e-6)
    assert costs["false_blob"] == pytest.approx(0.3 * blob / (lesion + 0.3 * blob), rel=1e-6)


def test_shares_of_the_gradient_add_up(subject):
    data = probe(subject("focal")).data
    for state in ("at_half", "half_right"):
        assert sum(part["share"] for part in data[state].values()) == pytest.approx(1)
    assert data["voxels"]["false blob"] == data["voxels"]["end of the large lesion"] == 33


def test_cross_entropy_gives_every_voxel_at_half_the_same_gradient(subject):
    found = probe(subject("cross_entropy"))
    assert "a voxel of the small lesion gets as much as one of the large" in found.says[0]
    assert "a missed one gets as much as a false one" in found.says[1]


def test_inverse_weighting_evens_out_what_missing_a_lesion_costs(subject):
    plain = probe(subject("dice")).data["costs"]
    even = probe(subject("inverse_weighting", of={"name": "dice"}, background="unit")).data["costs"]
    assert plain["large_lesion_missed"] / plain["small_lesion_missed"] > 20
    assert even["large_lesion_missed"] == pytest.approx(even["small_lesion_missed"])


def test_a_loss_that_rewards_missing_a_lesion_is_told(subject):
    found = probe(subject("map_dice", penalty_map="signed_norm_inverse", allow_signed=True))
    assert found.outcome == "look"
    assert found.data["costs"]["small_lesion_missed"] < 0
