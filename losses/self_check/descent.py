"""Probe: from .5 everywhere down the gradient of the logits. Where does it end?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from losses import target_maps
from losses.self_check.finding import Finding, Outcome, count, number, percent, worst
from losses.self_check.pictures import picture, states
from losses.self_check.scenes import Scene, descent_scenes
from losses.self_check.subject import Subject, logits_of

STEPS = 300
RATE = 0.1
BETAS = (0.9, 0.9)
"""A short memory, so that a voxel that must turn back does so within the steps."""
_KEPT = 60
_LISTED = 200
"""How many of the voxels that differ are listed by their indices."""

Voxels = npt.NDArray[np.bool_]


def probe(subject: Subject) -> Finding:
    """Free logits, one per voxel and class, on three scenes: is the mask reached, when, and what differs."""
    runs = [_descend(subject, scene) for scene in descent_scenes()]
    outcomes = [_outcome(run) for run in runs]
    reached = sum(outcome == "ok" for outcome in outcomes)
    return Finding(
        probe="descent",
        ran=f"Adam on free float64 logits from .5 everywhere: rate {RATE:g}, betas {BETAS}, {STEPS} steps; a voxel "
        "within .01 of .5 is undecided",
        outcome=worst(*outcomes),
        says=tuple(_sentence(run) for run in runs),
        data={"reached": reached, "scenes": runs},
    )


def _descend(subject: Subject, scene: Scene) -> dict[str, Any]:
    logits = logits_of(torch.zeros(scene.labels.shape, dtype=torch.float64)).requires_grad_()
    optimiser = torch.optim.Adam([logits], lr=RATE, betas=BETAS, eps=1e-30)
    maps = scene.maps(subject.loss.required_maps)
    values, wrong = [], []
    for _ in range(STEPS):
        optimiser.zero_grad()
        value = subject.loss(logits, scene.labels, maps)
        values.append(float(value.detach()))
        if not math.isfinite(values[-1]):
            break
        value.backward()
        optimiser.step()
        wrong.append(_differing(_log_odds(logits), scene.labels[0]))
    characters = states(_log_odds(logits), scene.labels[0])
    rows, index = picture(characters)
    every = max(1, len(values) // _KEPT)
    return {
        "scene": scene.title,
        "voxels": int(scene.labels.sum()),
        "finite": math.isfinite(values[-1]),
        "steps": len(wrong),
        "settled_after": _settled(wrong),
        "value": values[-1],
        **{name: int((characters == mark).sum()) for name, mark in (("missed", "o"), ("false", "x"))},
        "undecided_lesion": int(((characters == "?") & (scene.labels[0].numpy() == 1)).sum()),
        "undecided_background": int(((characters == "?") & (scene.labels[0].numpy() == 0)).sum()),
        "differing_voxels": np.argwhere(np.isin(characters, ["o", "x", "?"]))[:_LISTED].tolist(),
        "missed_depth": _depths(characters == "o", characters == "#", scene),
        "slice": rows,
        "slice_index": index,
        "values_every": every,
        "values": values[::every],
        "differing": wrong[::every],
    }


def _log_odds(logits: Tensor) -> Tensor:
    return (logits[0, 1] - logits[0, 0]).detach()


def _differing(log_odds: Tensor, labels: Tensor) -> int:
    """Voxels on the wrong side, or undecided."""
    return int(np.isin(states(log_odds, labels), ["o", "x", "?"]).sum())


def _settled(wrong: list[int]) -> int:
    """Steps after which the number of differing voxels no longer changes."""
    changes = [step for step, now in enumerate(wrong) if now != wrong[-1]]
    return changes[-1] + 2 if changes else 1


def _depths(missed: Voxels, kept: Voxels, scene: Scene) -> Mapping[str, float] | None:
    """How deep in their lesions the missed voxels lie, in voxels, and the deepest that was kept."""
    if not missed.any():
        return None
    depth = target_maps.compute("distance", scene.labels[0].numpy().astype(np.int8))
    return {
        "least": float(depth[missed].min()),
        "most": float(depth[missed].max()),
        "most_kept": float(depth[kept].max(initial=0)),
    }


def _outcome(run: Mapping[str, Any]) -> Outcome:
    if not run["finite"]:
        return "broken"
    differing = ("missed", "false", "undecided_lesion", "undecided_background")
    return "look" if any(run[key] for key in differing) else "ok"


def _sentence(run: Mapping[str, Any]) -> str:
    if not run["finite"]:
        return f"{run['scene']}: the value became {number(run['value'])} after {count(run['steps'], 'step')}."
    if _outcome(run) == "ok":
        return f"{run['scene']}: the mask is reached after {count(run['settled_after'], 'step')}."
    parts = []
    if run["missed"]:
        share = percent(run["missed"] / run["voxels"])
        parts.append(f"{run['missed']} of {run['voxels']} lesion voxels missed ({share}{_where(run['missed_depth'])})")
    if run["false"]:
        parts.append(f"{count(run['false'], 'background voxel')} taken for lesion")
    for key, what in (("undecided_lesion", "lesion voxel"), ("undecided_background", "background voxel")):
        if run[key]:
            parts.append(f"{count(run[key], what)} left at .5")
    return f"{run['scene']}: not the mask; {', '.join(parts)}; settled after {count(run['settled_after'], 'step')}."


def _where(depth: Mapping[str, float]) -> str:
    if not depth["most_kept"]:
        return ": all of them"
    if depth["least"] > depth["most_kept"]:
        return f": its core, everything deeper than {depth['most_kept']:.2f} voxels"
    return f", {depth['least']:.2f} to {depth['most']:.2f} voxels deep"
