"""Probe: logits of ±10,000, as a diverging network gives them."""

from __future__ import annotations

import torch
from torch import Tensor

from losses.self_check.finding import Finding, count
from losses.self_check.scenes import Scene, empty_patch, filled_patch, two_lesions
from losses.self_check.subject import Subject, logits_of

SIZE = 1e4
_TYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


def probe(subject: Subject) -> Finding:
    """Whether value and gradient stay finite for right, wrong and random signs on three patches in four types."""
    rows = [
        _row(subject, scene, title, logits.to(kind))
        for scene in (two_lesions(), empty_patch(), filled_patch())
        for title, logits in _predictions(scene).items()
        for kind in _TYPES
    ]
    wrong = [row for row in rows if not (row["value_finite"] and row["gradient_finite"])]
    places = sorted({f"{row['prediction']} on the {row['patch']} in {row['dtype']}" for row in wrong})
    says = (
        f"{count(len(wrong), 'input')} of {len(rows)} give values or gradients that are not finite: "
        f"{'; '.join(places)}."
        if wrong
        else f"All {len(rows)} values and their gradients are finite."
    )
    return Finding(
        probe="extreme_logits",
        ran=f"logits ±{SIZE:g}: right, wrong and random signs on patches with lesions, without, all lesion; float64, "
        "float32, bf16, fp16",
        outcome="broken" if wrong else "ok",
        says=(says,),
        data={"rows": rows},
    )


def _predictions(scene: Scene) -> dict[str, Tensor]:
    right = 2.0 * scene.labels.double() - 1
    generator = torch.Generator().manual_seed(0)
    random = 2.0 * torch.randint(0, 2, scene.labels.shape, generator=generator).double() - 1
    signs = {"right": right, "wrong": -right, "random": random}
    return {title: logits_of(2 * SIZE * sign) for title, sign in signs.items()}


def _row(subject: Subject, scene: Scene, title: str, logits: Tensor) -> dict[str, object]:
    value, gradient = subject.value_and_gradient(logits, scene)
    return {
        "patch": scene.title,
        "prediction": title,
        "dtype": str(logits.dtype).removeprefix("torch."),
        "value": float(value),
        "value_finite": bool(value.isfinite()),
        "gradient_finite": bool(gradient.isfinite().all()),
    }
