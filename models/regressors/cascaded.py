"""Cascaded: regress the map first, segment from the features and the map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import models
from losses.domains import number
from models.backbone import Backbone
from models.heads import HEADS
from models.layers import Layers
from models.regression_error import absolute
from models.regressor import Regressed, Regressor, parts_of


@models.register_regressor("cascaded")
class Cascaded(Regressor):
    """The head first regresses a truncated signed distance from the last features, then segments from both.

    L = L_segmentation + α · mean|map regressed − clip(signed distance / τ, −1, 1)|

    truncation_mm  τ: distances beyond it count as τ; the regressed map is in units of τ, through a tanh.
    alpha, reduction  see `Regressor`.

    The regression is part of the segmenting head, so it stays when images are segmented: one 3-wide convolution
    and as many more input channels as there are foreground classes. Needs a backbone with encoder, decoder and head.
    An empty target is 1 everywhere: as far outside as can be told. C > 2: one map per foreground class. Raises
    `ModelError` for other backbones and for values outside their domain.

    Source: Audebert et al. 2019 (arXiv 1909.01671): abstract. Deviations: the method section could not be read;
    kernels, the tanh and τ are ours; their segmentation loss is cross entropy, here it is the method's.
    """

    def __init__(self, *, truncation_mm: float = 10.0, alpha: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(name="cascaded", map="signed_distance", head=None, alpha=alpha, reduction=reduction)
        self.head = "tanh"
        self.truncation_mm = number(self.name, "truncation_mm", truncation_mm, above=0)

    @property
    def required_maps(self) -> tuple[str, ...]:
        return ("signed_distance_mm",)

    def attach(self, backbone: Backbone | None, classes: int, spatial_dims: int) -> None:
        """Put the cascade in the place of the backbone's head."""
        parts = parts_of(self.name, backbone)
        parts.head = CascadeHead(parts.feature_channels, classes, spatial_dims)

    def forward(self, backbone: Backbone, image: Tensor) -> Regressed:
        backbone.check_image(image)
        features = backbone.decoder(backbone.encoder(image))
        head = backbone.head
        assert isinstance(head, CascadeHead), "attach() put it there"
        values = head.regress(features)
        return Regressed(head.segment(features, values), values)

    def error(self, regressed: Regressed, target: Tensor, labels: Tensor) -> Tensor:
        scaled = (target / self.truncation_mm).clamp(-1, 1)
        # The map of a class that the case does not have is 0, as if everything were boundary.
        absent = (target == 0).flatten(2).all(2).view(*target.shape[:2], *[1] * (target.ndim - 2))
        return absolute(regressed.values, torch.where(absent, 1.0, scaled), labels, self.reduction)


class CascadeHead(nn.Module):
    """Features (B, F, *S) → logits (B, C, *S), by way of a map (B, C−1, *S) in [−1, 1]."""

    def __init__(self, features: int, classes: int, spatial_dims: int) -> None:
        super().__init__()
        layers = Layers(spatial_dims)
        self.regression = layers.conv(features, classes - 1, 3)
        self.segmentation = layers.conv(features + classes - 1, classes, 3)

    def regress(self, features: Tensor) -> Tensor:
        return HEADS["tanh"](self.regression(features))

    def segment(self, features: Tensor, values: Tensor) -> Tensor:
        logits: Tensor = self.segmentation(torch.cat([features, values.to(features.dtype)], dim=1))
        return logits

    def forward(self, features: Tensor) -> Tensor:
        return self.segment(features, self.regress(features))
