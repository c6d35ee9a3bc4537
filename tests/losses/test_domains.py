"""Domains of parameters."""

from __future__ import annotations

import pytest

from losses import LossError
from losses.domains import choice, flag, number, whole


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


def test_whole_numbers_are_whole():
    assert whole("residual_moment", "order", 2, at_least=1) == 2
    for value in (0, 1.0, True, "1", None):
        with pytest.raises(LossError, match="residual_moment: order must be a whole number >= 1, got"):
            whole("residual_moment", "order", value, at_least=1)


def test_choices_are_named():
    assert choice("residual_moment", "norm", "l1", ("l1", "l2")) == "l1"
    for value in ("L1", 1, None):
        with pytest.raises(LossError, match="residual_moment: norm must be 'l1' or 'l2', got"):
            choice("residual_moment", "norm", value, ("l1", "l2"))
