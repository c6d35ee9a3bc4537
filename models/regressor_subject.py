"""A regressor that is put to the test: made as often as a check needs, with networks and batches that fit it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

import losses
import models
from losses import target_maps
from models.backbone import Backbone
from models.errors import ModelError
from models.initialisation import initialise
from models.method import Batch, Method
from models.pretraining import Pretraining
from models.regressor import Regressor

BATCH = 2
SPACE = {2: (16, 20), 3: (8, 8, 12)}
"""Size of a patch by the number of axes."""
_BACKBONE: Mapping[str, Any] = {"name": "residual_unet", "widths": (4, 8, 16)}


class ContractError(ModelError):
    """A regressor that breaks the contract; the message names the regressor, the promise and the configuration."""


@dataclass(frozen=True)
class Subject:
    """A regressor by name and parameters, to be made as often as a check needs."""

    name: str
    classes: int
    spatial_dims: int
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def create(self) -> Regressor:
        return models.create_regressor(self.name, **self.parameters)

    def backbone(self) -> Backbone:
        made = models.create_backbone(**_BACKBONE, in_channels=1, classes=self.classes, spatial_dims=self.spatial_dims)
        initialise(made, seed=0)
        return made

    def method(self, *, seed: int = 0, frozen: bool = False) -> Method:
        """A backbone and a regressor that is attached to it, with the weights of a seed."""
        backbone, regressor = self.backbone(), self.create()
        regressor.attach(backbone, self.classes, self.spatial_dims)
        initialise(backbone, seed)
        initialise(regressor, seed)
        if frozen:
            regressor.freeze()
        return Method(backbone, losses.create("dice"), regressor)

    def stages(self) -> list[Method]:
        """The method as it is trained: with fresh weights, and with frozen ones where there is a stage before."""
        return [self.method(), *([self.method(frozen=True)] if self.pretrained else [])]

    def pretraining(self) -> Pretraining:
        regressor = self.create()
        regressor.attach(None, self.classes, self.spatial_dims)
        initialise(regressor, seed=0)
        return Pretraining(regressor)

    @property
    def pretrained(self) -> bool:
        return self.create().pretraining is not None

    def batch(self, labels: Tensor | None = None) -> Batch:
        """A batch of these labels, by default mixed ones, with the maps that the regressor asks for."""
        given = self.targets()["a mixed target"] if labels is None else labels
        generator = torch.Generator().manual_seed(1)
        image = torch.randn((BATCH, 1, *SPACE[self.spatial_dims]), generator=generator)
        maps = {name: _map(name, given, self.classes) for name in self.create().required_maps}
        return Batch(image, given, maps)

    def targets(self) -> dict[str, Tensor]:
        """Labels of every kind that a regressor must take, by what to call them in messages."""
        generator = torch.Generator().manual_seed(0)
        space = SPACE[self.spatial_dims]
        mixed = torch.randint(-1, self.classes, (BATCH, *space), generator=generator)
        mixed[:, : space[0] // 2, : space[1] // 2] = self.classes - 1
        half_ignored = mixed.clone()
        half_ignored[0] = -1
        return {
            "a mixed target": mixed,
            "an empty target": torch.zeros_like(mixed),
            "a target that fills the patch": torch.full_like(mixed, self.classes - 1),
            "one sample ignored": half_ignored,
            "every label −1": torch.full_like(mixed, -1),
        }

    def broken(self, promise: str, found: str) -> ContractError:
        configuration = f"{self.classes} classes, {self.spatial_dims}D"
        return ContractError(f"{self.name}: contract broken – a regressor {promise} ({configuration}): {found}")


def _map(name: str, labels: Tensor, classes: int) -> Tensor:
    """The target map (B, C−1, *S) of labels, computed in the patch; a voxel is 1 mm wide."""
    kind, in_mm = target_maps.unit_of(name)
    spacing = (1.0,) * (labels.ndim - 1) if in_mm else None
    samples = [
        [target_maps.compute(kind, np.where(sample < 0, -1, sample == c), spacing) for c in range(1, classes)]
        for sample in labels.numpy()
    ]
    return torch.from_numpy(np.array(samples))
