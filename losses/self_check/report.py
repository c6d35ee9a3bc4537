"""The page of one loss: every probe, in the order of reading."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import losses
from losses.self_check import (
    descent,
    enumeration,
    equality,
    extreme_logits,
    gradient_check,
    lowest,
    parameters,
    precisions,
    promises,
    shares,
    special_masks,
)
from losses.self_check.finding import Finding, Outcome, plain, worst
from losses.self_check.subject import Subject, frequencies

SCHEMA_VERSION = 1

PROBES: Mapping[str, Callable[[Subject], Finding]] = {
    "contract": promises.probe,
    "special_masks": special_masks.probe,
    "descent": descent.probe,
    "enumeration": enumeration.probe,
    "lowest": lowest.probe,
    "shares": shares.probe,
    "gradient_check": gradient_check.probe,
    "extreme_logits": extreme_logits.probe,
    "precisions": precisions.probe,
    "parameters": parameters.probe,
    "equality": equality.probe,
}


@dataclass(frozen=True)
class SelfCheck:
    """Everything that was found of one loss with one choice of parameters."""

    name: str
    parameters: Mapping[str, Any]
    where: str
    findings: Mapping[str, Finding]

    @property
    def outcome(self) -> Outcome:
        """The worst of all probes."""
        return worst(*(finding.outcome for finding in self.findings.values()))

    def to_json(self) -> dict[str, Any]:
        """The page as JSON."""
        return {
            "loss": self.name,
            "parameters": plain(self.parameters),
            "defined_by": self.where.partition(" (")[0],
            "class_frequencies": frequencies(),
            "outcome": self.outcome,
            "findings": [finding.to_json() for finding in self.findings.values()],
        }


def check(name: str, parameters: Mapping[str, Any] | None = None) -> SelfCheck:
    """Run every probe on a registered loss; parameters that it requires default to its `example`.

    A probe in which the loss raises is broken and says so; the others go on. Raises `LossError` for an unknown loss
    and for parameters that it refuses.
    """
    subject = Subject(name, parameters or {})
    resolved = losses.resolve({"name": name, **subject.given})
    del resolved["name"]
    findings = {key: _run(key, probe, subject) for key, probe in PROBES.items()}
    return SelfCheck(name, resolved, subject.description.where, findings)


def _run(key: str, probe: Callable[[Subject], Finding], subject: Subject) -> Finding:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch's advice on how gradcheck should be called
            return probe(subject)
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything; its page says what
        text = f"The loss raised {type(error).__name__}: {error}"
        return Finding(key, "this probe ended early", "broken", (text,), {"error": repr(error)})
