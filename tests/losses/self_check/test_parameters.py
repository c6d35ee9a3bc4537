from __future__ import annotations

from losses.self_check.parameters import probe


def test_pooling_both_channels_makes_the_weights_exchangeable(subject, plugin, kinds):
    found = probe(subject(plugin(kinds["Pooled"])))
    assert found.outcome == "look"
    assert found.says == ("Swapping fp_weight and fn_weight changes nothing: the loss ignores how they differ.",)


def test_every_parameter_of_tversky_does_something(subject):
    found = probe(subject("tversky"))
    assert found.outcome == "ok"
    assert set(found.data["tried"]) == {"fp_weight", "fn_weight", "smooth", "batch"}


def test_a_parameter_without_effect_is_named(subject):
    assert "On the battery allow_signed = False makes no difference." in probe(subject("map_dice")).says
