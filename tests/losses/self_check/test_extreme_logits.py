from __future__ import annotations

import math

from losses.self_check.extreme_logits import probe


def test_every_prediction_patch_and_type_is_tried(subject):
    found = probe(subject("cross_entropy"))
    assert len(found.data["rows"]) == 3 * 3 * 4
    assert found.outcome == "ok"
    wrong = [row["value"] for row in found.data["rows"] if row["prediction"] == "wrong"]
    assert all(math.isclose(value, 2e4, rel_tol=1e-2) for value in wrong)


def test_an_exponential_that_overflows_is_found(subject, plugin, kinds):
    found = probe(subject(plugin(kinds["Overflows"])))
    assert found.outcome == "broken"
    assert "wrong on the lesion-free patch in float32" in found.says[0]
