"""What is trained and compared: a backbone with a loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from losses.base import Loss
from models.backbone import Backbone, BackboneOutput


@dataclass(frozen=True)
class Batch:
    """One training step's input.

    image   (B, in_channels, *S) float
    labels  (B, *S) integer, 0 background, 1..K the target classes, −1 ignored
    maps    the target maps that the method's `required_maps` name
    """

    image: Tensor
    labels: Tensor
    maps: Mapping[str, Tensor] = field(default_factory=dict)


class Term(NamedTuple):
    """One addend of the objective: a scalar and its weight."""

    value: Tensor
    weight: float


class Method(nn.Module):
    """A backbone trained with a loss. Training knows nothing but this; at inference only the backbone runs."""

    def __init__(self, backbone: Backbone, loss: Loss) -> None:
        super().__init__()
        self.backbone = backbone
        self.loss = loss

    @property
    def required_maps(self) -> tuple[str, ...]:
        """Names of the target maps that `training_terms` reads from a batch."""
        return self.loss.required_maps

    def training_terms(self, batch: Batch) -> dict[str, Term]:
        """Return the objective's terms by name, for logging each and for `objective`."""
        output: BackboneOutput = self.backbone(batch.image)
        return {"segmentation": Term(self.loss(output.logits, batch.labels, batch.maps), 1.0)}

    def objective(self, terms: Mapping[str, Term]) -> Tensor:
        """Return Σ weight · value, the scalar that training minimises."""
        return torch.stack([term.weight * term.value for term in terms.values()]).sum()

    @torch.no_grad()
    def segment(self, image: Tensor) -> Tensor:
        """Return the probabilities (B, classes, *S) of an image (B, in_channels, *S): softmax in float32."""
        output: BackboneOutput = self.backbone(image)
        return torch.softmax(output.logits.float(), dim=1)
