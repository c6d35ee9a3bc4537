from __future__ import annotations

import pytest

from losses.self_check.gradient_check import probe


@pytest.mark.parametrize("name", ["dice", "lovasz", "map_dice", "sum"])
def test_right_gradients_pass(subject, name):
    found = probe(subject(name))
    assert found.outcome == "ok"
    assert all(row["passes"] for row in found.data["rows"])


def test_a_gradient_of_half_the_size_is_found(subject, plugin, kinds):
    found = probe(subject(plugin(kinds["WrongGradient"])))
    assert found.outcome == "broken"
    assert found.says == ("The gradient is not that of the value: largest difference 0.5 of the largest slope.",)
