"""Probe: the smallest value that soft predictions were found to give. A search, not a proof."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from losses.self_check.finding import Finding, Outcome, number, worst
from losses.self_check.scenes import Scene, empty_patch, one_ball, two_lesions
from losses.self_check.subject import Subject, certain, logits_of

BOUNDS = (-1.0, -1e2, -1e4, -1e6)
"""Bounds that are tried: a value below the last one is called below every bound."""
GRID = 101
ZOOMS, FINER = 12, 21
STEPS = 100
RATE = 0.2
_NEGLIGIBLE = 1e-6


@dataclass
class Lowest:
    """The smallest value so far and the prediction that gave it."""

    value: float = math.inf
    prediction: str = ""
    evaluations: int = 0

    def see(self, value: float, prediction: str) -> None:
        """Take a value into account; NaN counts as no value."""
        self.evaluations += 1
        if value < self.value:
            self.value, self.prediction = value, prediction


def probe(subject: Subject) -> Finding:
    """Uniform predictions, finer and finer around the best of them, then descents from five starts."""
    rows, outcomes, says = [], [], []
    for scene in (one_ball(), two_lesions()):
        row = _search(subject, scene)
        outcome, text = _judge(row)
        rows.append(row)
        outcomes.append(outcome)
        says.append(text)
    curves = {scene.title: _line(subject, scene) for scene in (two_lesions(), empty_patch())}
    return Finding(
        probe="lowest",
        ran=f"{GRID} uniform predictions, {ZOOMS} times ten times finer around the best, and {STEPS} steps of Adam "
        f"(rate {RATE:g}) from each of five predictions",
        outcome=worst(*outcomes),
        says=tuple(says),
        data={"bounds_tried": BOUNDS, "scenes": rows, "uniform": curves},
    )


def _search(subject: Subject, scene: Scene) -> dict[str, Any]:
    lowest = Lowest()
    at_truth = subject.value(certain(scene.labels), scene)
    best = _zoom(subject, scene, lowest)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(scene.labels.shape, generator=generator, dtype=torch.float64)
    starts = {
        "the best uniform prediction": torch.full_like(noise, _logit(best)),
        "noise": noise,
        "p = .1": torch.full_like(noise, _logit(0.1)),
        "the truth": 4.0 * scene.labels.double() - 2,
        "the opposite of the truth": 2 - 4.0 * scene.labels.double(),
    }
    for title, odds in starts.items():
        _descend(subject, scene, odds, title, lowest)
    return {
        "scene": scene.title,
        "value_at_truth": at_truth,
        "smallest_found": lowest.value,
        "prediction": lowest.prediction,
        "evaluations": lowest.evaluations,
    }


def _zoom(subject: Subject, scene: Scene, lowest: Lowest) -> float:
    """Uniform predictions on [0, 1], then on ever smaller intervals around the best; return the best p."""
    centre, width = 0.5, 0.5
    best, smallest = centre, math.inf
    for zoom in range(ZOOMS):
        points = GRID if zoom == 0 else FINER
        for p in torch.linspace(centre - width, centre + width, points, dtype=torch.float64).tolist():
            value = _uniform(subject, scene, p)
            lowest.see(value, f"p = {p:.12g} everywhere")
            if value < smallest:
                best, smallest = p, value
        centre, width = best, width / 10
    return best


def _line(subject: Subject, scene: Scene) -> list[float]:
    """The loss of uniform predictions, for a curve."""
    return [_uniform(subject, scene, p / 50) for p in range(51)]


def _uniform(subject: Subject, scene: Scene, p: float) -> float:
    return subject.value(logits_of(torch.full(scene.labels.shape, _logit(p), dtype=torch.float64)), scene)


def _logit(p: float) -> float:
    inside = min(max(p, 1e-17), 1 - 1e-16)
    return math.log(inside) - math.log1p(-inside)


def _descend(subject: Subject, scene: Scene, odds: Tensor, title: str, lowest: Lowest) -> None:
    logits = logits_of(odds).requires_grad_()
    optimiser = torch.optim.Adam([logits], lr=RATE, betas=(0.9, 0.9), eps=1e-30)
    maps = scene.maps(subject.loss.required_maps)
    for step in range(STEPS):
        optimiser.zero_grad()
        value = subject.loss(logits, scene.labels, maps)
        lowest.see(float(value.detach()), f"{step} steps from {title}")
        if not bool(value.isfinite()):
            break
        value.backward()
        optimiser.step()
    certain_mask = certain((logits[:, 1] > logits[:, 0]).detach())
    lowest.see(subject.value(certain_mask, scene), f"the hard mask after {STEPS} steps from {title}")


def _judge(row: dict[str, Any]) -> tuple[Outcome, str]:
    smallest, truth, scene = row["smallest_found"], row["value_at_truth"], row["scene"]
    where = f"({row['prediction']}; {row['evaluations']} values)"
    if not math.isfinite(truth):
        return "broken", f"{scene}: the value at the truth is {number(truth)}."
    if smallest < BOUNDS[-1]:
        return "broken", f"{scene}: below every bound tried, down to {number(BOUNDS[-1])}: {number(smallest)} {where}."
    if smallest < truth - _NEGLIGIBLE * max(1.0, abs(truth)):
        return "look", f"{scene}: smallest found {number(smallest)} {where}, below the truth's {number(truth)}."
    return "ok", f"{scene}: nothing found below the truth's {number(truth)} ({row['evaluations']} values)."
