from __future__ import annotations

import pytest

from losses.self_check.equality import probe


def test_tversky_with_equal_weights_is_dice(subject):
    found = probe(subject("tversky", fp_weight=0.5, fn_weight=0.5))
    assert found.says == ("On the battery it equals dice.",)
    assert found.outcome == "look"


def test_tversky_with_other_weights_is_not(subject):
    found = probe(subject("tversky"))
    assert found.outcome == "ok"
    assert found.data["equals"] == []


def test_a_factor_and_a_constant_are_named(subject, plugin, kinds):
    found = probe(subject(plugin(kinds["TwiceDice"])))
    (equal,) = found.data["equals"]
    assert equal["loss"] == "dice"
    assert (equal["factor"], equal["constant"]) == (pytest.approx(2), pytest.approx(1))
    assert found.says == ("On the battery it equals 2 · dice + 1.",)


@pytest.mark.parametrize(
    ("name", "parameters", "other"),
    [
        ("asymmetric_similarity", {"beta": 1.0}, "On the battery it equals dice."),
        ("focal", {"exponent": 0.0, "foreground_weight": 0.5}, "On the battery it equals 0.5 · cross_entropy."),
        ("top_k", {"fraction": 1.0}, "On the battery it equals cross_entropy."),
    ],
)
def test_what_losses_become_at_special_parameters(subject, name, parameters, other):
    assert other in probe(subject(name, **parameters)).says


def test_a_plug_in_that_fails_does_not_end_the_comparison(subject, plugin, kinds):
    name = plugin(kinds["Raises"])
    found = probe(subject("dice"))
    assert found.outcome == "ok"
    assert name in found.data["left_out"]
