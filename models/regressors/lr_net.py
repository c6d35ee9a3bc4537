"""LR-Net in tandem: the mask's own map, regressed from the probabilities."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

import models
from losses.domains import choice, flag, number, whole
from models.backbone import Backbone
from models.heads import HEADS
from models.lr_net import LRNet
from models.regressor import Regressed, Regressor


@models.register_regressor("lr_net")
class LRNetTandem(Regressor):
    """LR-Net behind the softmax of any backbone: the map that belongs to the predicted mask must be the reference's.

    L = L_segmentation + α · smooth-L1(head(LR-Net(softmax(logits))), map)

    map        `norm_inverse` by default; every kind with a head.
    frozen     true: weights come from a stage of their own, on reference masks, and never change again; only the
               gradient passes through. false (uLR-Net): a random start, trained together with the backbone.
    norm       "instance" as in the paper, or "none".
    alpha, reduction  see `Regressor`. With the mean over a whole patch and `norm_inverse` the term of a small lesion
               is about 1e-3; the authors' scripts use α = 1000 (sigmoid head) and 10 (`inverse` and
               `signed_norm_inverse`).
    pretraining_steps, pretraining_rate  steps (at most; the best checkpoint counts) and Adam's learning rate of the
               stage of its own. Authors: 500 epochs at most, 1e-3.

    C > 2: all probabilities in, one map per foreground class out. An empty target has the map 0: whatever is regressed
    from false positives costs. Raises `ModelError` for a head that does not fit the map and for values outside their
    domain.

    Source: Li et al. 2021, section 2.3, and the authors' scripts. Deviations: the pre-training has a fixed budget with
    polynomial decay in place of early stopping and a plateau rule, and the joint stage's batches in place of 4 patches;
    the backbone may be any.
    """

    def __init__(
        self,
        *,
        map: str = "norm_inverse",
        head: str | None = None,
        alpha: float = 1.0,
        reduction: str = "mean",
        frozen: bool = True,
        norm: str = "instance",
        pretraining_steps: int = 1000,
        pretraining_rate: float = 1e-3,
    ) -> None:
        super().__init__(name="lr_net", map=map, head=head, alpha=alpha, reduction=reduction)
        self.frozen = flag(self.name, "frozen", frozen)
        self.norm = choice(self.name, "norm", norm, ("instance", "none"))
        self.pretraining_steps = whole(self.name, "pretraining_steps", pretraining_steps, at_least=1)
        self.pretraining_rate = number(self.name, "pretraining_rate", pretraining_rate, above=0)

    @property
    def pretraining(self) -> dict[str, Any] | None:
        if not self.frozen:
            return None
        kind = {"name": self.name, "map": self.map, "head": self.head, "norm": self.norm}
        return {**kind, "steps": self.pretraining_steps, "learning_rate": self.pretraining_rate}

    def attach(self, backbone: Backbone | None, classes: int, spatial_dims: int) -> None:
        """Make the network; it stands behind the softmax, so any backbone will do."""
        self.network = LRNet(
            in_channels=classes,
            out_channels=classes - 1,
            spatial_dims=spatial_dims,
            normalised=self.norm == "instance",
        )

    def freeze(self) -> None:
        self.network.requires_grad_(False)
        self.network.eval()

    def train(self, mode: bool = True) -> LRNetTandem:
        """Frozen weights stay in evaluation mode whatever the method is in."""
        super().train(mode)
        if not all(parameter.requires_grad for parameter in self.network.parameters()):
            self.network.eval()
        return self

    def regress(self, probabilities: Tensor) -> Tensor:
        """Return the map (B, K, *S) of probabilities (B, C, *S)."""
        return HEADS[self.head](self.network(probabilities))

    def reconstruct(self, labels: Tensor) -> Tensor:
        classes = self.network.in_channels
        one_hot = F.one_hot(labels.long().clamp(min=0), classes).movedim(-1, 1)
        return self.regress(one_hot.to(next(self.network.parameters()).dtype))

    def forward(self, backbone: Backbone, image: Tensor) -> Regressed:
        logits: Tensor = backbone(image).logits
        return Regressed(logits, self.regress(torch.softmax(logits.float(), dim=1)))

    @classmethod
    def resolve_parameters(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        """Spell out the head, and leave out what a network that is not pre-trained does not look at."""
        made = cls(**parameters)
        idle = () if made.frozen else ("pretraining_steps", "pretraining_rate")
        return {key: value for key, value in {**parameters, "head": made.head}.items() if key not in idle}
