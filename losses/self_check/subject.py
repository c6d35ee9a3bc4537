"""The loss under test, ready to be called on scenes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

import losses
from losses.base import Loss
from losses.self_check.scenes import Scene, descent_scenes

CERTAIN = 40.0
"""Log-odds of a prediction without doubt: p differs from 0 or 1 by 4e-18."""


class Subject:
    """A registered loss with its parameters; those it requires default to its `example`.

    Class frequencies for `prepare` are those of the three scenes of the descent together.
    Raises `LossError` for an unknown loss and for parameters that it refuses.
    """

    def __init__(self, name: str, parameters: Mapping[str, Any]) -> None:
        self.description = losses.describe(name)
        self.name = name
        self.given = {**self.description.example, **parameters}
        self.loss = self.make(self.given)

    def make(self, parameters: Mapping[str, Any]) -> Loss:
        """The same loss with other parameters, prepared."""
        made = losses.create(self.name, **parameters)
        made.prepare(losses.Statistics(frequencies()))
        return made

    def value(self, logits: Tensor, scene: Scene) -> float:
        """The loss of logits (B, 2, *S)."""
        with torch.no_grad():
            return float(self.loss(logits, scene.labels, scene.maps(self.loss.required_maps)))

    def value_and_gradient(self, logits: Tensor, scene: Scene) -> tuple[Tensor, Tensor]:
        """The loss () and its gradient by the logits, in the types that the loss gives them."""
        return value_and_gradient(self.loss, logits, scene)


def value_and_gradient(loss: Loss, logits: Tensor, scene: Scene) -> tuple[Tensor, Tensor]:
    """The loss () and its gradient by the logits, in the types that the loss gives them."""
    leaf = logits.detach().requires_grad_()
    value = loss(leaf, scene.labels, scene.maps(loss.required_maps))
    (gradient,) = torch.autograd.grad(value, leaf)
    return value.detach(), gradient


def frequencies() -> tuple[float, float]:
    """Class frequencies of the three scenes of the descent."""
    masks = [scene.labels for scene in descent_scenes()]
    foreground = sum(int(mask.sum()) for mask in masks) / sum(mask.numel() for mask in masks)
    return 1 - foreground, foreground


def logits_of(log_odds: Tensor) -> Tensor:
    """Logits (B, 2, *S) whose softmax gives the foreground these log-odds (B, *S)."""
    return torch.stack([-log_odds / 2, log_odds / 2], 1)


def certain(mask: Tensor, log_odds: float = CERTAIN) -> Tensor:
    """Float64 logits that predict this mask (B, *S) without doubt, or with these log-odds."""
    return logits_of(log_odds * (2.0 * mask.double() - 1))
