from __future__ import annotations

from losses.self_check.promises import probe


def test_a_plug_in_that_breaks_the_contract_is_shown_with_the_broken_promise(subject, plugin, kinds):
    found = probe(subject(plugin(kinds["Pooled"])))
    assert found.outcome == "broken"
    assert "does not look at logits under label −1" in found.says[0] or "zero gradient at label −1" in found.says[0]


def test_a_loss_that_keeps_the_contract_is_said_to(subject):
    assert probe(subject("cross_entropy")).outcome == "ok"
