"""Probe: all 4096 masks of twelve voxels. Which one does the loss like best?"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from losses.self_check.finding import Finding, Outcome, count, number
from losses.self_check.pictures import mask_rows
from losses.self_check.scenes import Scene, twelve_voxels
from losses.self_check.subject import CERTAIN, Subject, certain

_TIE = 1e-9
_SHOWN = 4


def probe(subject: Subject) -> Finding:
    """Evaluate every hard mask; name the minimisers and where the truth stands among all."""
    scene = twelve_voxels()
    masks = all_masks(scene)
    values = _values(subject, scene, masks)
    data, says, outcome = _judge(scene, masks, values)
    return Finding(
        probe="enumeration",
        ran=f"all {len(masks)} hard masks of the 2 × 6 patch {' / '.join(mask_rows(scene.labels[0]))}, log-odds "
        f"±{CERTAIN:g}, float64",
        outcome=outcome,
        says=says,
        data=data,
    )


def all_masks(scene: Scene) -> Tensor:
    """(2^n, 1, *S): every mask of the n voxels of a scene of one sample."""
    size = scene.labels.numel()
    bits = torch.arange(2**size)[:, None] >> torch.arange(size)
    return (bits & 1).view(-1, *scene.labels.shape)


def _values(subject: Subject, scene: Scene, masks: Tensor) -> Tensor:
    """One call per mask: a batch would give one number for all of them."""
    maps = scene.maps(subject.loss.required_maps)
    logits = certain(masks.flatten(0, 1)).unsqueeze(1)
    with torch.no_grad():
        return torch.stack([subject.loss(one, scene.labels, maps) for one in logits]).double()


def _judge(scene: Scene, masks: Tensor, values: Tensor) -> tuple[dict[str, Any], tuple[str, ...], Outcome]:
    truth = int((masks == scene.labels).flatten(1).all(1).nonzero())
    smallest, at_truth = float(values.min()), float(values[truth])
    if not bool(values.isfinite().all()):
        bad = int((~values.isfinite()).sum())
        says = f"{count(bad, 'mask')} of {len(masks)} have a value that is not finite."
        return {"not_finite": bad}, (says,), "broken"
    margin = _TIE * max(1.0, float(values.max()) - smallest)
    best = (values <= smallest + margin).nonzero().flatten().tolist()
    lower = int((values < at_truth - margin).sum())
    wrong = (masks != scene.labels).flatten(1).sum(1)
    data = {
        "truth": mask_rows(scene.labels[0]),
        "value_at_truth": at_truth,
        "smallest_value": smallest,
        "minimisers": len(best),
        "truth_is_a_minimiser": truth in best,
        "masks_below_the_truth": lower,
        "first_minimisers": [mask_rows(masks[index, 0]) for index in best[:_SHOWN]],
        "values_by_wrong_voxels": [
            [float(part.min()), float(part.median()), float(part.max())]
            for part in (values[wrong == n] for n in range(masks[0].numel() + 1))
        ],
    }
    second = float(values.masked_fill(torch.arange(len(values)) == truth, math.inf).min())
    outcome: Outcome = "ok" if best == [truth] else "look"
    if outcome == "ok":
        text = f"The mask is the only minimiser: {number(smallest)}, the next best {number(second)}."
    elif truth in best:
        text = f"The mask is one of {len(best)} minimisers: {len(best) - 1} others cost the same {number(smallest)}."
    else:
        text = (
            f"The mask is not the minimiser: {count(lower, 'mask')} cost less than its {number(at_truth)}, the best "
            f"{' / '.join(mask_rows(masks[best[0], 0]))} with {number(smallest)}."
        )
    return data, (text,), outcome
