"""What is trained and compared: a backbone with a loss, a regressor, or both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from losses.base import Loss
from models.backbone import Backbone, BackboneOutput
from models.errors import ModelError
from models.heads import passes
from models.regressor import Regressor
from models.term import Term

__all__ = ["Batch", "Method", "Term"]


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

    def to(self, device: torch.device, image_format: torch.memory_format = torch.preserve_format) -> Batch:
        """The same on a device, the image in a memory format."""
        image = self.image.to(device, non_blocking=True, memory_format=image_format)
        maps = {name: one.to(device, non_blocking=True) for name, one in self.maps.items()}
        return Batch(image, self.labels.to(device, non_blocking=True), maps)


class Method(nn.Module):
    """A backbone trained with a loss, a regressor or both. Training knows nothing but this.

    At inference only the backbone runs. The regressor has been attached to it before. Raises `ModelError` where there
    is neither a loss nor a regressor.
    """

    def __init__(self, backbone: Backbone, loss: Loss | None, regressor: Regressor | None = None) -> None:
        super().__init__()
        if loss is None and regressor is None:
            raise ModelError("a method needs a loss, a regressor or both")
        self.backbone = backbone
        self.loss = loss
        self.regressor = regressor
        self._values: Tensor | None = None

    @property
    def required_maps(self) -> tuple[str, ...]:
        """Names of the target maps that `training_terms` reads from a batch."""
        of_loss = () if self.loss is None else self.loss.required_maps
        of_regressor = () if self.regressor is None else self.regressor.required_maps
        return tuple(dict.fromkeys((*of_loss, *of_regressor)))

    def training_terms(self, batch: Batch) -> dict[str, Term]:
        """Return the objective's terms by name, for logging each and for `objective`."""
        if self.regressor is None:
            output: BackboneOutput = self.backbone(batch.image)
            return {"segmentation": Term(self._segmentation(output.logits, batch), 1.0)}
        regressed = self.regressor(self.backbone, batch.image)
        self._values = regressed.values
        segmentation = None if self.loss is None else self._segmentation(regressed.logits, batch)
        target = batch.maps[self.regressor.required_maps[0]]
        return self.regressor.terms(segmentation, self.regressor.error(regressed, target, batch.labels))

    def _segmentation(self, logits: Tensor, batch: Batch) -> Tensor:
        assert self.loss is not None
        value: Tensor = self.loss(logits, batch.labels, batch.maps)
        return value

    def objective(self, terms: Mapping[str, Term]) -> Tensor:
        """Return Σ weight · value, the scalar that training minimises."""
        return torch.stack([term.weight * term.value for term in terms.values()]).sum()

    def gradient_facts(self, terms: Mapping[str, Term]) -> dict[str, float]:
        """How the terms of the step just computed pull at the backbone; leaves the graph for the backward pass.

        `<term>_gradient_share`  ‖∂(weight·term)/∂backbone‖ over the sum of these norms, for every term that reaches it.
        `regression_reach`       share of voxels at which the regression error has a gradient that passes the head; 0
                                 is a dead head.
        Empty for a method without a regressor.
        """
        if self._values is None:
            return {}
        assert self.regressor is not None
        weights = [parameter for parameter in self.backbone.parameters() if parameter.requires_grad]
        norms = {}
        if "segmentation" in terms:
            norms["segmentation"] = _norm(_gradients(terms["segmentation"], weights))
        flow, *gradients = _gradients(terms["regression"], [self._values, *weights])
        norms["regression"] = _norm(gradients)
        total = sum(norms.values())
        facts = {f"{name}_gradient_share": norm / total if total else 0.0 for name, norm in norms.items()}
        assert flow is not None
        reached = (flow != 0) & passes(self.regressor.head, self._values)
        return {**facts, "regression_reach": float(reached.any(1).float().mean())}

    @torch.no_grad()
    def segment(self, image: Tensor) -> Tensor:
        """Return the probabilities (B, classes, *S) of an image (B, in_channels, *S): softmax in float32."""
        output: BackboneOutput = self.backbone(image)
        return torch.softmax(output.logits.float(), dim=1)


def _gradients(term: Term, of: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    """Of the weighted term; None where it does not reach."""
    return torch.autograd.grad(term.weight * term.value, of, retain_graph=True, allow_unused=True)


def _norm(gradients: Iterable[Tensor | None]) -> float:
    return float(torch.nn.utils.get_total_norm([one for one in gradients if one is not None]))
