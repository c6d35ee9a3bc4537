"""What a loss answers to a fixed set of inputs: two losses with the same answers are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from losses.base import Loss
from losses.self_check.scenes import Scene, ball, scene
from losses.self_check.subject import value_and_gradient

TOLERANCE = 1e-5
"""Of the range of values, and of the norm of all gradients."""
_SHAPE = (7, 8, 9)


@dataclass(frozen=True)
class Answers:
    """Values and gradients of one loss on the battery."""

    values: npt.NDArray[np.float64]
    gradients: npt.NDArray[np.float64]

    def spread(self) -> float:
        """The range of the values."""
        return float(np.ptp(self.values))


def answers(loss: Loss) -> Answers | None:
    """Value and gradient of every input of the battery; None where the loss fails or gives what is not finite."""
    pairs = [value_and_gradient(loss, logits, place) for place, logits in inputs()]
    values = np.array([float(value) for value, _ in pairs])
    gradients = np.concatenate([gradient.double().numpy().ravel() for _, gradient in pairs])
    finite = np.isfinite(values).all() and np.isfinite(gradients).all()
    return Answers(values, gradients) if finite else None


def affine(one: Answers, other: Answers) -> tuple[float, float] | None:
    """(a, b) with other = a·one + b for values and a for gradients, within TOLERANCE; None where there is none."""
    spread, norm = other.spread(), float(np.linalg.norm(other.gradients))
    if spread == 0 or norm == 0 or one.spread() == 0:
        return None
    centred = one.values - one.values.mean()
    a = float(centred @ (other.values - other.values.mean()) / (centred @ centred))
    b = float(other.values.mean() - a * one.values.mean())
    if np.abs(a * one.values + b - other.values).max() > TOLERANCE * spread:
        return None
    return (a, b) if np.linalg.norm(a * one.gradients - other.gradients) <= TOLERANCE * norm else None


@cache
def inputs() -> tuple[tuple[Scene, Tensor], ...]:
    """Batches of two patches with one or two lesions, or none in one of them, and random float64 logits."""
    first = ball(_SHAPE, (2, 3, 3), 2.5)
    second = ball(_SHAPE, (4, 4, 6), 1) | ball(_SHAPE, (1, 1, 1), 1)
    none = np.zeros(_SHAPE, bool)
    places = (scene("lesions in both", first, second), scene("lesions in one", first | second, none))
    generator = torch.Generator().manual_seed(2)
    return tuple(
        (place, size * torch.randn((2, 2, *_SHAPE), generator=generator, dtype=torch.float64))
        for place in places
        for size in (0.5, 1.0, 2.0, 5.0)
    )


def describe_inputs() -> Mapping[str, object]:
    """The battery in numbers."""
    return {"inputs": len(inputs()), "batch": 2, "patch": _SHAPE, "tolerance": TOLERANCE}
