"""How values are written in tables: digits by unit, spread, and a denominator wherever it is not the row's."""

from __future__ import annotations

import math

from bench.results.quantities import Quantity
from bench.results.values import Value

NOTHING = "–"
"""Where there is no value to show."""

_DIGITS = {"": 3, "mm": 2, "mm³": 0}


def number(value: float, quantity: Quantity) -> str:
    """A value of a quantity; signed where the sign means something."""
    if math.isnan(value):
        return NOTHING
    sign = "+" if quantity.better == "closest_to_zero" else ""
    text = f"{value:{sign}.{_DIGITS[quantity.unit]}f}"
    return text.replace("-", "") if float(text) == 0 else text


def mean_and_sd(value: Value, quantity: Quantity, cases: int) -> str:
    """`0.567 ± 0.213`; with its own n where not all of the row's cases have a value."""
    text = number(value.mean, quantity)
    if not math.isnan(value.sd):
        text += f" ± {value.sd:.{_DIGITS[quantity.unit]}f}"
    return text if not value.undefined else f"{text} (n = {value.n} of {cases})"


def share(value: Value) -> str:
    """`0.633 (38/60)`: a mean of zeros and ones with its counts."""
    if math.isnan(value.mean):
        return NOTHING
    return f"{value.mean:.3f} ({value.total:.0f}/{value.scores})"


def header(quantity: Quantity) -> str:
    """`ASSD mm ↓`: label, unit, and which way is better."""
    arrow = {"higher": "↑", "lower": "↓", "closest_to_zero": "→ 0"}[quantity.better]
    return " ".join(part for part in (quantity.label, quantity.unit, arrow) if part)
