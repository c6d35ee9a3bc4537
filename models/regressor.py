"""The contract of a regressor: what predicts a target map beside the segmentation while it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn

from losses.domains import choice, number
from models.backbone import Backbone
from models.errors import ModelError
from models.heads import chosen_head
from models.regression_error import REDUCTIONS, smooth_l1
from models.term import Term


class Regressed(NamedTuple):
    """What a training step of a regressor sees.

    logits   (B, C, *S) of the segmentation
    values   (B, K, *S) the regressed map of every foreground class, after the head
    """

    logits: Tensor
    values: Tensor


class Regressor(nn.Module):
    """Base of every regressor: a map, a head and a weight; how the map is predicted is in `forward`.

    map        kind of target map, which must be a regression target.
    head       activation that reaches its values; by default the first that the kind names.
    alpha      weight of the regression error beside the segmentation loss, > 0.
    reduction  of the error: "mean" over voxels or "foreground", see `models.regression_error.smooth_l1`.

    A regressor is built for a backbone with `attach`, before weights are drawn. What must still be there when images
    are segmented belongs into the backbone; the regressor itself is gone then.
    One whose weights come from a stage of their own says what decides them in `pretraining`, regresses reference masks
    by `reconstruct` and fixes its weights in `freeze`; see `models.pretraining`.
    """

    example: ClassVar[Mapping[str, Any]] = {}
    version: ClassVar[int] = 1

    def __init__(self, *, name: str, map: str, head: str | None, alpha: float, reduction: str) -> None:
        super().__init__()
        self.name = name
        self.map = map
        self.head = chosen_head(name, map, head)
        self.alpha = number(name, "alpha", alpha, above=0)
        self.reduction = choice(name, "reduction", reduction, REDUCTIONS)

    @property
    def required_maps(self) -> tuple[str, ...]:
        """Names of the target maps that the error is computed with."""
        return (self.map,)

    @property
    def pretraining(self) -> Mapping[str, Any] | None:
        """What decides the weights of a stage of its own, `steps` and `learning_rate` among it; None without one."""
        return None

    def reconstruct(self, labels: Tensor) -> Tensor:
        """Return the map (B, K, *S) regressed from reference labels (B, *S), −1 taken for background."""
        raise NotImplementedError(f"{type(self).__qualname__} defines no reconstruct()")

    def freeze(self) -> None:
        """Fix the weights for good; gradients still pass through."""
        raise NotImplementedError(f"{type(self).__qualname__} defines no freeze()")

    def attach(self, backbone: Backbone | None, classes: int, spatial_dims: int) -> None:
        """Make what the regressor needs for this backbone; called once, before weights are drawn.

        In a stage of its own there is no backbone. Raises `ModelError` for one without the parts that are needed.
        """
        raise NotImplementedError(f"{type(self).__qualname__} defines no attach()")

    def forward(self, backbone: Backbone, image: Tensor) -> Regressed:
        """Segment an image (B, in_channels, *S) and regress the map."""
        raise NotImplementedError(f"{type(self).__qualname__} defines no forward()")

    def error(self, regressed: Regressed, target: Tensor, labels: Tensor) -> Tensor:
        """Return the error () of the regressed map against its target (B, K, *S), labels (B, *S) with −1 ignored."""
        return smooth_l1(regressed.values, target, labels, self.reduction)

    def terms(self, segmentation: Tensor | None, regression: Tensor) -> dict[str, Term]:
        """Return the objective's terms; `segmentation` is None for a method without a loss."""
        of_loss = {} if segmentation is None else {"segmentation": Term(segmentation, 1.0)}
        return {**of_loss, "regression": Term(regression, self.alpha)}


def parts_of(regressor: str, backbone: Backbone | None) -> Backbone:
    """Return the backbone if encoder, decoder and head can be used one by one.

    Raises `ModelError` otherwise.
    """
    if backbone is None or not backbone.separable or not backbone.feature_channels:
        given = "none" if backbone is None else repr(backbone.name)
        raise ModelError(
            f"{regressor}: needs a backbone that shows its encoder, decoder and head, got {given}; use residual_unet, "
            "or the regressor lr_net, which stands behind any backbone"
        )
    return backbone
