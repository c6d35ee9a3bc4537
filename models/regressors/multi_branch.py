"""Multi-branch: a second decoder regresses the map."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

import models
from models.backbone import Backbone
from models.heads import HEADS
from models.layers import Layers
from models.regression_error import absolute
from models.regressor import Regressed, Regressor, parts_of
from models.term import Term


@models.register_regressor("multi_branch")
class MultiBranch(Regressor):
    """One encoder, two decoders: the second one regresses a signed map and is dropped when images are segmented.

    L = e^(−s1) · L_segmentation + e^(−s2) · mean|map regressed − map| + s1 + s2,  s1 and s2 learned, 0 at the start

    map        `signed_norm_inverse` by default, in [−1, 1]; every kind with a head.
    alpha      a further factor of the regression error, 1 in the paper: the learned weights are to do without.
    reduction  see `Regressor`.

    The objective can be negative and is no measure of quality: minimising over s1 turns L into 1 + ln L. Needs a
    backbone with encoder, decoder and head. An empty target is ordinary: −1 far away. For C > 2 one map per
    foreground class. Raises `ModelError` for other backbones, a head that does not fit the map, values outside their
    domain.

    Source: Dangi et al. 2019 (arXiv 1901.01238): abstract, and Kendall et al. 2018 for the weights (the Laplace form
    L/σ + ln σ, s = ln σ). Deviations: the method section could not be read, so that map, scaling and head are ours;
    their segmentation loss is cross entropy, here it is the method's.
    """

    def __init__(
        self,
        *,
        map: str = "signed_norm_inverse",
        head: str | None = None,
        alpha: float = 1.0,
        reduction: str = "mean",
    ) -> None:
        super().__init__(name="multi_branch", map=map, head=head, alpha=alpha, reduction=reduction)
        self.log_scales = nn.Parameter(torch.zeros(2))

    def attach(self, backbone: Backbone | None, classes: int, spatial_dims: int) -> None:
        """Make the second decoder, in the shape of the first, and its head."""
        shared = parts_of(self.name, backbone)
        self.second_decoder = copy.deepcopy(shared.decoder)
        self.second_head = Layers(spatial_dims).conv(shared.feature_channels, classes - 1, 1)

    def forward(self, backbone: Backbone, image: Tensor) -> Regressed:
        backbone.check_image(image)
        levels = backbone.encoder(image)
        logits = backbone.head(backbone.decoder(levels))
        values = HEADS[self.head](self.second_head(self.second_decoder(levels)))
        return Regressed(logits, values)

    def error(self, regressed: Regressed, target: Tensor, labels: Tensor) -> Tensor:
        return absolute(regressed.values, target, labels, self.reduction)

    def terms(self, segmentation: Tensor | None, regression: Tensor) -> dict[str, Term]:
        of_loss, of_map = torch.exp(-self.log_scales)
        terms = {} if segmentation is None else {"segmentation": Term(segmentation, of_loss)}
        terms["regression"] = Term(regression, self.alpha * of_map)
        used = self.log_scales[1:] if segmentation is None else self.log_scales
        return {**terms, "log_scales": Term(used.sum(), 1.0)}

    @classmethod
    def resolve_parameters(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        """Spell out the head."""
        return {**parameters, "head": cls(**parameters).head}
