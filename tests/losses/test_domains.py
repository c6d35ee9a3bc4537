"""Domains of parameters."""

from __future__ import annotations

import pytest

from losses import LossError
from losses.domains import flag, number


@pytest.mark.parametrize(
    ("bounds", "good", "bad", "text"),
    [
        ({}, -5, float("inf"), "a number"),
        ({"at_least": 0}, 0, -0.1, "a number >= 0"),
        ({"above": 0}, 0.1, 0, "a number > 0"),
        ({"at_least": 0, "at_most": 1}, 1, 1.5, "a number >= 0 and <= 1"),
        ({"above": 0, "at_most": 2.5}, 2.5, 3, "a number > 0 and <= 2.5"),
    ],
)
def test_numbers_keep_to_their_bounds(bounds, good, bad, text):
    value = number("dice", "smooth", good, **bounds)
    assert value == good
    assert isinstance(value, float)
    with pytest.raises(LossError, match=f"^dice: smooth must be {text}, got {bad!r}$"):
        number("dice", "smooth", bad, **bounds)


@pytest.mark.parametrize("value", ["1", True, None, [1], float("nan")])
def test_only_numbers_are_numbers(value):
    with pytest.raises(LossError, match="must be a number, got"):
        number("dice", "smooth", value)


def test_only_booleans_are_flags():
    assert flag("dice", "batch", True) is True
    with pytest.raises(LossError, match="dice: batch must be true or false, got 0"):
        flag("dice", "batch", 0)
