"""Probe: bf16, fp16 and float32 logits against float64."""

from __future__ import annotations

import torch

from losses.self_check.finding import Finding, Outcome, number, percent, worst
from losses.self_check.scenes import two_lesions
from losses.self_check.subject import Subject

TOLERANCES = {torch.float32: (1e-4, 1e-3), torch.bfloat16: (1e-4, 1e-2), torch.float16: (1e-4, 1e-2)}
"""Largest relative error of value and gradient that goes unmentioned; a gradient has the type of the logits."""
_SPREAD = 3.0


def probe(subject: Subject) -> Finding:
    """Errors of value and gradient; the float64 computation starts from the same, already rounded logits."""
    rows, says, outcomes = [], [], []
    for kind in TOLERANCES:
        row = _row(subject, kind)
        rows.append(row)
        outcome, text = _judge(row, kind)
        outcomes.append(outcome)
        says.append(text)
    return Finding(
        probe="precisions",
        ran=f"random logits, standard deviation {_SPREAD:g}, on the scene “{two_lesions().title}”; the same rounded "
        "logits in float64 are the reference",
        outcome=worst(*outcomes),
        says=tuple(says),
        data={"rows": rows},
    )


def _row(subject: Subject, kind: torch.dtype) -> dict[str, object]:
    scene = two_lesions()
    generator = torch.Generator().manual_seed(0)
    logits = _SPREAD * torch.randn((1, 2, *scene.labels.shape[1:]), generator=generator, dtype=torch.float64)
    rounded = logits.to(kind)
    exact, slope = subject.value_and_gradient(rounded.double(), scene)
    value, gradient = subject.value_and_gradient(rounded, scene)
    flushed = (gradient == 0) & (slope != 0)
    return {
        "dtype": str(kind).removeprefix("torch."),
        "computed_in": str(value.dtype).removeprefix("torch."),
        "relative_error_of_value": float((value.double() - exact).abs() / exact.abs().clamp(min=1e-12)),
        "relative_error_of_gradient": float((gradient.double() - slope).norm() / slope.norm().clamp(min=1e-30)),
        "gradients_flushed_to_zero": float(flushed.double().mean()),
    }


def _judge(row: dict[str, object], kind: torch.dtype) -> tuple[Outcome, str]:
    value, gradient, flushed = (
        float(str(row[key]))
        for key in ("relative_error_of_value", "relative_error_of_gradient", "gradients_flushed_to_zero")
    )
    text = f"{row['dtype']}: the value is off by {number(value)} of itself, the gradient by {number(gradient)}"
    text += f"; {percent(flushed)} of the gradient's entries became 0." if flushed else "."
    if not (value < float("inf") and gradient < float("inf")) or row["computed_in"] != "float32":
        return "broken", text
    allowed = TOLERANCES[kind]
    return ("ok" if value <= allowed[0] and gradient <= allowed[1] else "look"), text
