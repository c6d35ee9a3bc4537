"""What a probe says, and how numbers are put into words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["ok", "look", "broken"]
"""ok: as one would wish. look: a property to know before using the loss. broken: no network should train with it."""


@dataclass(frozen=True)
class Finding:
    """The result of one probe.

    probe    its name, the key in a report.
    ran      what was run, so that the rest can be judged.
    outcome  the worst of what was found.
    says     sentences composed from the numbers, at least one.
    data     the numbers, as JSON can hold them (what is not finite: the words of `plain`).
    """

    probe: str
    ran: str
    outcome: Outcome
    says: tuple[str, ...]
    data: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {**asdict(self), "data": plain(self.data)}


NOTHING = 1e-12


def worst(*outcomes: Outcome) -> Outcome:
    """The worst of some outcomes; ok where there is none."""
    return max(outcomes, key=("ok", "look", "broken").index, default="ok")


def number(value: float) -> str:
    """A number with four digits, for a sentence; what is below 1e-12 is the softmax's doubt and counts as 0."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "−∞" if value < 0 else "∞"
    return f"{value:.4g}".replace("-", "−") if abs(value) >= NOTHING else "0"


def percent(share: float) -> str:
    """A share as a percentage with three digits."""
    return f"{100 * share:.3g} %"


def count(number_of: int, what: str) -> str:
    """`1 voxel`, `2 voxels`."""
    return f"{number_of} {what}{'' if number_of == 1 else 's'}"


def plain(value: Any) -> Any:
    """The same value with NaN and infinities as words, which JSON has no numbers for."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value
