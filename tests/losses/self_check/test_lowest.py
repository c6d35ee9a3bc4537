from __future__ import annotations

import pytest

from losses.self_check.lowest import BOUNDS, probe


def test_map_dice_on_a_signed_map_falls_below_any_bound_tried(subject):
    found = probe(subject("map_dice", penalty_map="signed_norm_inverse", allow_signed=True))
    assert found.outcome == "broken"
    assert min(row["smallest_found"] for row in found.data["scenes"]) < min(BOUNDS)
    assert any("below every bound tried, down to −1e+06" in text for text in found.says)


def test_map_dice_on_its_own_map_has_a_smallest_value_below_that_of_the_truth(subject):
    found = probe(subject("map_dice"))
    ball = found.data["scenes"][0]
    assert found.outcome == "look"
    assert ball["value_at_truth"] == pytest.approx(0.0913, abs=1e-4)
    assert ball["smallest_found"] == pytest.approx(0.0874, abs=1e-4)


@pytest.mark.parametrize("name", ["dice", "cross_entropy"])
def test_nothing_is_found_below_the_truth_where_it_is_the_minimum(subject, name):
    found = probe(subject(name))
    assert found.outcome == "ok"
    assert all("nothing found below the truth's 0" in text for text in found.says)


def test_a_value_below_minus_one_alone_does_not_make_a_loss_unbounded(subject):
    found = probe(subject("map_dice", penalty_map="inverse"))
    assert found.outcome != "broken"
