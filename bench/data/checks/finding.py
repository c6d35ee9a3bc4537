"""One thing that a check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """What is wrong with a case (`error`: it cannot be used) or odd about it (`warning`).

    rule     name of the check.
    dataset  `main`, `pretrain_on`, or a name of `evaluate_on`.
    case     id of the case; empty where the finding is about the whole data set.
    message  one sentence with the numbers found.
    """

    rule: str
    severity: Severity
    dataset: str
    case: str
    message: str

    @property
    def where(self) -> str:
        """Data set and case."""
        return f"{self.dataset}/{self.case}" if self.case else self.dataset

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
