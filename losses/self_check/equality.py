"""Probe: which other registered loss is this one?"""

from __future__ import annotations

import inspect
from typing import Any

import losses
from losses.self_check.battery import Answers, affine, answers, describe_inputs
from losses.self_check.finding import Finding, number
from losses.self_check.subject import Subject


def probe(subject: Subject) -> Finding:
    """Compare values and gradients with every other registered loss at its defaults, up to a factor and a constant."""
    own = answers(subject.loss)
    described = describe_inputs()
    found: list[dict[str, Any]] = []
    compared = [name for name in losses.available() if name != subject.name]
    left_out = []
    for name in compared:
        other = _of(name)
        if other is None or own is None:
            left_out.append(name)
            continue
        if (relation := affine(other, own)) is not None:
            found.append({"loss": name, "factor": relation[0], "constant": relation[1]})
    says = [_sentence(row) for row in found]
    if own is None:
        says = ["The loss has values or gradients that are not finite, so it was not compared."]
    elif not found:
        says = [f"It equals none of the {len(compared) - len(left_out)} others."]
    return Finding(
        probe="equality",
        ran=f"{described['inputs']} batches of two patches, random float64 logits; values and gradients, to "
        f"{number(float(str(described['tolerance'])))} of their size; the others with their defaults",
        outcome="broken" if own is None else "look" if found else "ok",
        says=tuple(says),
        data={"battery": described, "equals": found, "compared": len(compared) - len(left_out), "left_out": left_out},
    )


_CACHE: dict[tuple[str, str], Answers | None] = {}


def _of(name: str) -> Answers | None:
    """The answers of a registered loss with its defaults; kept by its place, for checks of many losses."""
    described = losses.describe(name)
    key = (name, described.where)
    if key not in _CACHE:
        required = any(parameter.default is inspect.Parameter.empty for parameter in described.parameters.values())
        try:
            _CACHE[key] = answers(Subject(name, described.example if required else {}).loss)
        except Exception:  # noqa: BLE001 - a broken plug-in has a page of its own
            _CACHE[key] = None
    return _CACHE[key]


def _sentence(row: dict[str, Any]) -> str:
    factor, constant = row["factor"], row["constant"]
    if abs(factor - 1) < 1e-4 and abs(constant) < 1e-4:
        return f"On the battery it equals {row['loss']}."
    shift = "" if abs(constant) < 1e-4 else f" {'+' if constant > 0 else '−'} {number(abs(constant))}"
    return f"On the battery it equals {number(factor)} · {row['loss']}{shift}."
