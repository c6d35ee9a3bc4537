"""Probe: value and gradient at the truth, at nothing, at everything and at .5, on three kinds of patches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from losses.self_check.finding import Finding, Outcome, number
from losses.self_check.scenes import Scene, empty_patch, filled_patch, two_lesions
from losses.self_check.subject import CERTAIN, Subject, certain, logits_of

SURE = 5.0
"""Log-odds at which gradients are taken: at 40 the softmax itself has none left."""
_NEGLIGIBLE = 1e-9
_WEAK = 1e-3
"""Share of the gradient on a patch with lesions below which that on a patch without counts as next to nothing."""

Row = Mapping[str, Any]


def probe(subject: Subject) -> Finding:
    """Value with certain predictions, gradient norm with sure ones, of four predictions on three patches."""
    rows = [
        _row(subject, scene, title, mask)
        for scene in (two_lesions(), empty_patch(), filled_patch())
        for title, mask in _masks(scene).items()
    ]
    finite = all(math.isfinite(row["value"]) and math.isfinite(row["gradient_norm"]) for row in rows)
    says, outcome = _sentences({(row["patch"], row["prediction"]): row for row in rows})
    return Finding(
        probe="special_masks",
        ran=f"float64; values at log-odds ±{CERTAIN:g}, norms of the gradient by the logits at ±{SURE:g}, both at 0 "
        "for .5",
        outcome=outcome if finite else "broken",
        says=says if finite else ("Some values or gradients are not finite.", *says),
        data={"log_odds_of_values": CERTAIN, "log_odds_of_gradients": SURE, "rows": rows},
    )


def _masks(scene: Scene) -> dict[str, Tensor | None]:
    empty, full = torch.zeros_like(scene.labels), torch.ones_like(scene.labels)
    return {"truth": scene.labels, "nothing": empty, "everything": full, ".5 everywhere": None}


def _row(subject: Subject, scene: Scene, title: str, mask: Tensor | None) -> Row:
    half = logits_of(torch.zeros(scene.labels.shape, dtype=torch.float64))
    value = subject.value(half if mask is None else certain(mask), scene)
    _, gradient = subject.value_and_gradient(half if mask is None else certain(mask, SURE), scene)
    return {"patch": scene.title, "prediction": title, "value": value, "gradient_norm": float(gradient.norm())}


def _sentences(rows: Mapping[tuple[str, str], Row]) -> tuple[tuple[str, ...], Outcome]:
    outcome: Outcome = "ok"
    lesions, free = two_lesions().title, empty_patch().title
    says = [f"At the truth the loss is {number(rows[lesions, 'truth']['value'])}."]
    others = {title: rows[lesions, title] for title in ("nothing", "everything", ".5 everywhere")}
    best = min(others, key=lambda title: others[title]["value"])
    if others[best]["value"] <= rows[lesions, "truth"]["value"] + _NEGLIGIBLE:
        outcome = "look"
        says.append(f"Predicting {best} costs {number(others[best]['value'])}, no more than the truth.")
    pushed = rows[free, ".5 everywhere"]["gradient_norm"]
    share = pushed / (rows[lesions, ".5 everywhere"]["gradient_norm"] or math.inf)
    if share < _WEAK:
        outcome = "look"
        says.append(
            f"On a {free} the gradient at .5 is {f'{share:.1g}' if share else '0'} of that with lesions: next "
            "to nothing acts against false positives."
        )
    else:
        says.append(f"On a {free} the gradient at .5 is {number(share)} of that with lesions.")
    return tuple(says), outcome
