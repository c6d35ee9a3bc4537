"""The one policy for empty masks: every metric declares its three values, `score` applies them, tables print them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

DIAGONAL: Final = "diagonal"
"""Stands for the physical diagonal of the native volume, √Σ(extentᵢ·spacingᵢ)², in mm: no distance can exceed it."""

Value = float | Literal["diagonal"]


@dataclass(frozen=True)
class Empties:
    """What a metric is worth where a mask is empty. NaN is undefined: it is counted and takes part in no mean.

    both        reference and prediction empty: nothing to find, nothing found.
    prediction  only the prediction empty: everything missed.
    reference   only the reference empty: everything predicted is false.
    """

    both: Value
    prediction: Value
    reference: Value

    def value(self, *, reference_empty: bool, prediction_empty: bool, diagonal_mm: float) -> float:
        """The metric's value for a pair of which at least one mask is empty."""
        if reference_empty and prediction_empty:
            chosen = self.both
        else:
            chosen = self.prediction if prediction_empty else self.reference
        return diagonal_mm if chosen == DIAGONAL else float(chosen)


SCORE = Empties(both=1.0, prediction=0.0, reference=0.0)
"""For overlap scores between 0 and 1."""

ERROR = Empties(both=0.0, prediction=1.0, reference=1.0)
"""For overlap errors between 0 and 1."""

DISTANCE = Empties(both=0.0, prediction=DIAGONAL, reference=DIAGONAL)
"""For distances in mm."""

RELATIVE_VOLUME = Empties(both=0.0, prediction=-1.0, reference=math.nan)
"""For (V_prediction − V_reference) / V_reference: nothing to divide by where the reference is empty."""


def describe(policies: dict[str, Empties]) -> str:
    """The policy in words, from what the metrics declare: label → values, metrics of equal value together."""
    parts = []
    for situation, words in _SITUATIONS.items():
        groups: dict[str, list[str]] = {}
        for label, policy in policies.items():
            groups.setdefault(_words(getattr(policy, situation)), []).append(label)
        parts.append(f"{words}: " + ", ".join(" = ".join(labels) + value for value, labels in groups.items()))
    return "; ".join(parts) + "."


_SITUATIONS = {
    "both": "both masks empty",
    "prediction": "only the prediction empty",
    "reference": "only the reference empty",
}


def _words(value: Value) -> str:
    if isinstance(value, str):
        return " = the volume's diagonal"
    return " undefined (counted)" if math.isnan(value) else f" = {value:g}".replace("-", "−")
