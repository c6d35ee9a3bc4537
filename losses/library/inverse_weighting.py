"""Inverse weighting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

import losses
from losses.base import Loss
from losses.components import Parts
from losses.domains import choice, number
from losses.errors import LossError
from losses.probabilities import precise
from losses.specification import split
from losses.statistics import Statistics

_CLIP = (1.0, 2e5)


@losses.register("inverse_weighting")
class InverseWeighting(Loss):
    """Inverse weighting: any loss with voxels weighted so that every lesion counts alike, whatever its size.

    L = L_of with voxel weights,  K lesions in the patch, #C_k voxels of lesion k, #C_0 of background, N of all
      background="component"  w_k = N / ((K + 1)·#C_k), k = 0..K, the background is one more component; then clipped
      background="unit"       w_k = Σ_j #C_j / (K·#C_k) in lesions (their mean is 1), 1 on background; not clipped

    of    the loss, such as {name: dice}; `inverse_weighting` passes its weights on by `voxel_weight`.
    clip  (smallest, largest) weight for "component"; None leaves the weights as they are. The smallest of 1 means that
          the background never goes below 1: with one lesion its nominal .5 doubles and the lesion gets a third of the
          total weight instead of half.
    logits (B, C, *S), labels (B, *S), map `lesion_id`. Weights are computed in every patch: a lesion that the patch
    cuts is as large as its part inside, N counts the voxels that are not −1, and a patch without lesion has weight 1
    everywhere (as has one that a single lesion fills). For C > 2 the lesions of all classes count together. Weights
    multiply a `voxel_weight` that is given. Range, value at a perfect mask and on an empty target are those of `of`.

    The two formulas price false positives differently. In a patch of 128³ with lesions of 40³ and 4³ voxels, missing
    either lesion costs Dice .333 under both; a false 4³ blob costs 5e-4 under "unit", as without weights, and 2.3e-5
    under "component": expect false positives from the latter.

    Raises `LossError` for an unknown `of`, for a `clip` that is not 0 <= smallest <= largest, and for a `clip` beside
    "unit", which would not look at it.

    Source: Shirokikh et al. 2020 (arXiv 2007.10033). Two formulas are in the public history of the authors' code:
    "component" is the released one, "unit" that of the submission; which of them made the published table cannot be
    decided from public material. Deviations: "unit" counts the lesions of the patch, where the submission took the
    largest lesion number, so that the mean of 1 failed for cropped numbers; ignored voxels belong to no component.
    """

    example: ClassVar[Mapping[str, Any]] = {"of": {"name": "dice"}}

    def __init__(
        self,
        *,
        of: Mapping[str, Any],
        background: str = "component",
        clip: Sequence[float] | None = _CLIP,
    ) -> None:
        super().__init__()
        self.background = choice(self.name, "background", background, ("component", "unit"))
        self.clip = _checked_clip(self.background, clip)
        try:
            name, parameters = split(of)
            self.of = losses.create(name, **parameters)
        except LossError as error:
            raise LossError(f"inverse_weighting: of: {error}") from error
        self.required_maps = tuple(dict.fromkeys(("lesion_id", *self.of.required_maps)))

    @classmethod
    def resolve_parameters(cls, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Fill in the defaults of the weighted loss; "unit" has no clip."""
        clip = _checked_clip(parameters["background"], parameters["clip"])
        try:
            return {**parameters, "of": losses.resolve(parameters["of"]), "clip": clip}
        except LossError as error:
            raise LossError(f"inverse_weighting: of: {error}") from error

    def prepare(self, statistics: Statistics) -> None:
        self.of.prepare(statistics)

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        weight = self.weight(labels, maps["lesion_id"]).to(precise(logits).dtype)
        if voxel_weight is not None:
            weight = weight * voxel_weight
        value: Tensor = self.of(logits, labels, maps, voxel_weight=weight)
        return value

    def weight(self, labels: Tensor, lesion_id: Tensor) -> Tensor:
        """Return the weights (B, *S) float64 of lesion numbers (B, C-1, *S); what they are at −1 is of no account."""
        parts = Parts(self.name, "lesion_id", lesion_id)
        counted = (labels >= 0)[:, None].double()
        sizes = parts.sums(counted)
        sizes[..., 0] = 0
        voxels = counted.flatten(1).sum(1)
        lesions = (sizes > 0).flatten(1).sum(1).double()
        inside = sizes.flatten(1).sum(1)
        outside = voxels - inside
        if self.background == "component":
            share = voxels / (lesions + (outside > 0)).clamp(min=1)
            ground = self._clipped(share / outside.clamp(min=1))
            table = self._clipped(share.view(-1, 1, 1) / sizes.clamp(min=1))
        else:
            share = inside / lesions.clamp(min=1)
            ground = torch.ones_like(share)
            table = share.view(-1, 1, 1) / sizes.clamp(min=1)
        none = lesions == 0
        ground = torch.where(none, 1.0, ground)
        table[..., 0] = 0
        space = labels.shape[1:]
        found = parts.spread(table, space).sum(1)  # a voxel lies in a lesion of one class at most
        in_lesion = (lesion_id > 0).any(1)
        return torch.where(in_lesion, found, ground.view(-1, *[1] * len(space)))

    def _clipped(self, weight: Tensor) -> Tensor:
        return weight if self.clip is None else weight.clamp(*self.clip)


def _checked_clip(background: object, clip: Any) -> tuple[float, float] | None:
    """Return the bounds of the weights; None where the weights have none."""
    if clip is None:
        return None
    if isinstance(clip, str) or not isinstance(clip, Sequence) or len(clip) != 2:
        raise LossError(
            f"inverse_weighting: clip must be (smallest, largest weight) such as [1, 2e5], or null, got {clip!r}"
        )
    low = number("inverse_weighting", "clip[0]", clip[0], at_least=0)
    high = number("inverse_weighting", "clip[1]", clip[1], at_least=low, above=0)
    if background != "unit":
        return low, high
    if (low, high) != _CLIP:
        raise LossError(
            f'inverse_weighting: background="unit" clips nothing, so leave clip out or set it to null, got {clip!r}'
        )
    return None
