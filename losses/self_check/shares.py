"""Probe: how costs and gradients split between a small and a large lesion, false positives and false negatives."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from losses.self_check.finding import Finding, number, percent
from losses.self_check.scenes import FALSE_BLOB, LARGE, SMALL, Scene, ball, two_lesions
from losses.self_check.subject import Subject, certain, logits_of

UNSURE = 2.0
"""Log-odds of the half-right prediction: p = .88 or .12."""
_TIE_BREAKER = 1e-8
"""Noise of the log-odds around 0, so that losses that sort voxels do not take the first of equals."""
_EQUAL = 1e-6


def probe(subject: Subject) -> Finding:
    """Shares of the gradient at .5 and at a half-right prediction, and the cost of whole lesions missed or invented."""
    scene, parts = two_lesions(), _parts(two_lesions())
    generator = torch.Generator().manual_seed(0)
    half = _TIE_BREAKER * torch.randn(scene.labels.shape, generator=generator, dtype=torch.float64)
    early = _shares(subject, scene, half, parts)
    predicted = (scene.labels.bool() & ~parts["end of the large lesion"]) | parts["false blob"]
    half_right = UNSURE * (2.0 * predicted.double() - 1)
    errors = {"missed": parts["end of the large lesion"] & ~predicted, "false": parts["false blob"]}
    late = _shares(subject, scene, half_right, {**errors, "right": ~(errors["missed"] | errors["false"])})
    costs = _costs(subject, scene, parts)
    data = {"voxels": {name: int(part.sum()) for name, part in parts.items()}, "at_half": early, "half_right": late}
    return Finding(
        probe="shares",
        ran="sums of |∂L/∂logit|, at .5 everywhere and where as many voxels are missed as false at p = .88 / .12; "
        "costs: hard masks with one lesion missed or a false one as large as the small",
        outcome="look" if min(costs.values()) < 0 else "ok",
        says=tuple(_sentences(early, late, costs)),
        data={**data, "costs": costs},
    )


def _parts(scene: Scene) -> dict[str, Tensor]:
    shape = scene.labels.shape[1:]
    lesion = {"large lesion": ball(shape, LARGE, 5), "small lesion": ball(shape, SMALL, 2)}
    false_blob = torch.from_numpy(ball(shape, FALSE_BLOB, 2))[None]
    masks = {name: torch.from_numpy(mask)[None] for name, mask in lesion.items()}
    # As many voxels of the large lesion as the false blob has, from one end.
    ends = masks["large lesion"].flatten().nonzero().flatten()[: int(false_blob.sum())]
    end = torch.zeros_like(false_blob).flatten()
    end[ends] = True
    return {
        **masks,
        "background": scene.labels == 0,
        "false blob": false_blob,
        "end of the large lesion": end.view_as(false_blob),
    }


def _shares(subject: Subject, scene: Scene, odds: Tensor, parts: dict[str, Tensor]) -> dict[str, Any]:
    """Share of Σ|∂L/∂l_1| and mean per voxel, by part of the patch."""
    _, gradient = subject.value_and_gradient(logits_of(odds), scene)
    size = gradient[:, 1].abs()
    disjoint = {name: part for name, part in parts.items() if name not in ("false blob", "end of the large lesion")}
    total = float(size.sum())
    return {
        name: {
            "share": float(size[part].sum()) / total if total else math.nan,
            "mean_per_voxel": float(size[part].mean()),
        }
        for name, part in disjoint.items()
    }


def _costs(subject: Subject, scene: Scene, parts: dict[str, Tensor]) -> dict[str, float]:
    truth = scene.labels.bool()
    at_truth = subject.value(certain(truth), scene)
    errors = {
        "small_lesion_missed": truth & ~parts["small lesion"],
        "large_lesion_missed": truth & ~parts["large lesion"],
        "false_blob": truth | parts["false blob"],
    }
    return {name: subject.value(certain(mask), scene) - at_truth for name, mask in errors.items()}


def _sentences(early: dict[str, Any], late: dict[str, Any], costs: dict[str, float]) -> list[str]:
    small, large, outside = (early[name] for name in ("small lesion", "large lesion", "background"))
    return [
        f"Gradient at .5: {percent(large['share'])} on the large lesion, {percent(small['share'])} on the small one, "
        f"{percent(outside['share'])} on the background; a voxel of the small lesion gets "
        f"{_times(small['mean_per_voxel'], large['mean_per_voxel'])} one of the large.",
        "Where as many voxels are missed as false, a missed one gets "
        f"{_times(late['missed']['mean_per_voxel'], late['false']['mean_per_voxel'])} a false one.",
        f"Missing the small lesion costs {number(costs['small_lesion_missed'])}, missing the large one "
        f"{number(costs['large_lesion_missed'])}, a false lesion as large as the small one "
        f"{number(costs['false_blob'])}{_same(costs['small_lesion_missed'], costs['false_blob'])}.",
    ]


def _times(one: float, other: float) -> str:
    """`2 times as much as`, to be followed by the other."""
    if abs(one - other) <= _EQUAL * abs(other):
        return "as much as"
    return f"{number(one / other if other else math.inf)} times as much as"


def _same(missed: float, false: float) -> str:
    equal = missed > 0 and abs(missed - false) <= _EQUAL * missed
    return ": exactly as much as missing it" if equal else ""
