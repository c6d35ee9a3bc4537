"""Residual moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement

import torch
from torch import Tensor

import losses
from losses.base import Loss
from losses.domains import choice, whole
from losses.probabilities import foreground, precise, sample_mean, weights
from losses.voxel import equals, mean_over, valid


@losses.register("residual_moment")
class ResidualMoment(Loss):
    """Residual moment, a reconstruction: errors weighted by coordinates (the published formula could not be obtained).

    r = p − g, monomials x^k = Π_a x_a^(k_a) of the coordinates x_a ∈ [−1, 1], 0 < |k| ≤ order
      level="map"     L = mean over classes and voxels of Σ_k |x^k·r|           (norm="l2": Σ_k (x^k·r)²)
      level="moment"  L = mean over samples and classes of Σ_k |Σ_i x^k·r| / n   (norm="l2": Σ_k (Σ_i x^k·r / n)²),
                      n = the class's voxels, at least 1

    origin  "patch": coordinates run from −1 to 1 along each axis of the patch, 0 is its centre; "volume": those of the
            whole volume, by the map `coordinates`, so that the same error weighs differently in another patch.
    logits (B, C, *S), labels (B, *S). L ≥ 0; "map" is at most the number of monomials, "moment" unbounded. 0 at a
    perfect mask; on an empty target false positives cost, n being 1. An error at the origin costs nothing, and "moment"
    does not see errors that cancel: beside a loss that sees them (Dice, cross entropy), never alone. For C > 2 each
    foreground class is measured against the rest, then the mean. −1 and samples of −1 count nowhere.

    Raises `LossError` unless order is a whole number >= 1, level "map" or "moment", norm "l1" or "l2" and origin
    "patch" or "volume".

    Source: reconstructed from the abstract of Wang et al. 2021 (arXiv 2106.14178), which weights prediction and target
    maps "by coordinate information" and keeps the weighted maps consistent: "map" follows that wording, "moment" the
    name. Orders, norm and weights of the paper are not public; no number of it may stand beside this loss.
    """

    def __init__(self, *, order: int = 1, level: str = "map", norm: str = "l1", origin: str = "patch") -> None:
        super().__init__()
        self.order = whole(self.name, "order", order, at_least=1)
        self.level = choice(self.name, "level", level, ("map", "moment"))
        self.norm = choice(self.name, "norm", norm, ("l1", "l2"))
        self.origin = choice(self.name, "origin", origin, ("patch", "volume"))
        self.required_maps = ("coordinates",) if origin == "volume" else ()

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        like = precise(logits)
        axes = _from_centre(labels, like) if self.origin == "patch" else maps["coordinates"].to(like.dtype).unbind(1)
        monomials = _monomials(axes, self.order)
        weight = weights(labels, voxel_weight, like)
        value = self._of_maps if self.level == "map" else self._of_moments
        return value(foreground(logits), labels, weight, monomials)

    def _of_maps(self, p: Tensor, labels: Tensor, weight: Tensor, monomials: Iterator[Tensor]) -> Tensor:
        weight = weight * sum(self._size(monomial) for monomial in monomials)
        summed = [(weight * self._size(p[:, c - 1] - equals(labels, c, p))).sum() for c in _classes(p)]
        return mean_over(valid(labels, p), torch.stack(summed).mean())

    def _of_moments(self, p: Tensor, labels: Tensor, weight: Tensor, monomials: Iterator[Tensor]) -> Tensor:
        targets = [equals(labels, c, p) for c in _classes(p)]
        residuals = [weight * (p[:, c - 1] - target) for c, target in zip(_classes(p), targets, strict=True)]
        voxels = torch.stack([target.flatten(1).sum(1) for target in targets], 1).clamp(min=1)
        per_class = torch.zeros_like(voxels)
        for monomial in monomials:
            moments = torch.stack([(monomial * residual).flatten(1).sum(1) for residual in residuals], 1)
            per_class = per_class + self._size(moments / voxels)
        return sample_mean(per_class.mean(1), weight)

    def _size(self, value: Tensor) -> Tensor:
        return value.abs() if self.norm == "l1" else value.square()


def _classes(p: Tensor) -> range:
    return range(1, p.shape[1] + 1)


def _from_centre(labels: Tensor, like: Tensor) -> tuple[Tensor, ...]:
    """One coordinate per axis, shaped to broadcast over (B, *S); 0 along an axis of one voxel."""
    axes = []
    for axis, size in enumerate(labels.shape[1:], start=1):
        shape = [1] * labels.ndim
        shape[axis] = size
        steps = torch.arange(size, dtype=like.dtype, device=like.device)
        axes.append(((2 * steps - (size - 1)) / max(size - 1, 1)).view(shape))
    return tuple(axes)


def _monomials(axes: Sequence[Tensor], order: int) -> Iterator[Tensor]:
    """All products of 1 to `order` coordinates."""
    for degree in range(1, order + 1):
        for factors in combinations_with_replacement(axes, degree):
            product = factors[0]
            for factor in factors[1:]:
                product = product * factor
            yield product
