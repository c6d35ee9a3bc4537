"""Domains of parameters: each check returns the value or says whose parameter it was, what it got and what it takes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from losses.errors import LossError


def number(
    loss: str,
    parameter: str,
    value: Any,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    at_most: float = math.inf,
) -> float:
    """Return `value` as a float if it is a finite number within the bounds (`above` excludes its bound)."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and math.isfinite(value) and at_least <= value <= at_most and value > above:
        return float(value)
    bounds = [
        text
        for text, bound in ((f">= {at_least:g}", at_least), (f"> {above:g}", above), (f"<= {at_most:g}", at_most))
        if math.isfinite(bound)
    ]
    expected = " and ".join(["a number", *bounds]) if not bounds else "a number " + " and ".join(bounds)
    raise LossError(f"{loss}: {parameter} must be {expected}, got {value!r}")


def flag(loss: str, parameter: str, value: Any) -> bool:
    """Return `value` if it is a bool."""
    if isinstance(value, bool):
        return value
    raise LossError(f"{loss}: {parameter} must be true or false, got {value!r}")


def whole(loss: str, parameter: str, value: Any, *, at_least: int) -> int:
    """Return `value` if it is a whole number within its bound."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= at_least:
        return value
    raise LossError(f"{loss}: {parameter} must be a whole number >= {at_least}, got {value!r}")


def choice(loss: str, parameter: str, value: Any, options: Iterable[str]) -> str:
    """Return `value` if it is one of the words."""
    words = tuple(options)
    if isinstance(value, str) and value in words:
        return value
    raise LossError(f"{loss}: {parameter} must be {' or '.join(map(repr, words))}, got {value!r}")
