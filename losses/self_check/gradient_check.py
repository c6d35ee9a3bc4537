"""Probe: is the gradient that of the value?"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from losses.self_check.finding import Finding, number
from losses.self_check.scenes import Scene, scene, twelve_voxels
from losses.self_check.subject import Subject

STEP = 1e-6
TOLERANCE = 1e-5


def probe(subject: Subject) -> Finding:
    """torch's gradcheck, and the largest difference from central differences."""
    rows: list[dict[str, Any]] = []
    for place in (twelve_voxels(), _small_volume()):
        generator = torch.Generator().manual_seed(1)
        logits = torch.randn((len(place.labels), 2, *place.labels.shape[1:]), generator=generator, dtype=torch.float64)
        _, gradient = subject.value_and_gradient(logits, place)
        numeric = _central_differences(subject, logits, place)
        difference = float((gradient - numeric).abs().max() / numeric.abs().max().clamp(min=1e-12))
        passes = _gradcheck(subject, logits, place)
        rows.append({"scene": place.title, "passes": passes, "largest_difference": difference})
    largest = max(row["largest_difference"] for row in rows)
    passed = all(row["passes"] for row in rows) and largest < TOLERANCE
    return Finding(
        probe="gradient_check",
        ran="torch.autograd.gradcheck and central differences in float64, random logits, 12 pixels and a batch of two "
        "volumes of 2 × 3 × 4",
        outcome="ok" if passed else "broken",
        says=(
            f"The gradient {'is' if passed else 'is not'} that of the value: largest difference {number(largest)} of "
            "the largest slope.",
        ),
        data={"rows": rows},
    )


def _small_volume() -> Scene:
    first, second = torch.zeros((2, 2, 3, 4), dtype=torch.int64)
    first[:, :2, :2] = 1
    second[0, 1, 3] = 1
    return scene("two small volumes", first, second)


def _central_differences(subject: Subject, logits: Tensor, place: Scene) -> Tensor:
    result = torch.zeros_like(logits)
    for entry in range(logits.numel()):
        moved = logits.clone()
        moved.view(-1)[entry] += STEP
        above = subject.value(moved, place)
        moved.view(-1)[entry] -= 2 * STEP
        result.view(-1)[entry] = (above - subject.value(moved, place)) / (2 * STEP)
    return result


def _gradcheck(subject: Subject, logits: Tensor, place: Scene) -> bool:
    maps = place.maps(subject.loss.required_maps)
    leaf = logits.clone().requires_grad_()
    return bool(torch.autograd.gradcheck(lambda x: subject.loss(x, place.labels, maps), (leaf,), raise_exception=False))
