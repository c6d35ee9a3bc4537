"""Hausdorff distance by distance transforms, one-sided."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

import losses
from losses.base import Loss
from losses.domains import number
from losses.probabilities import foreground, weights
from losses.voxel import equals, mean_over, valid


@losses.register("hausdorff_dt")
class HausdorffDT(Loss):
    """Hausdorff loss by distance transform, one-sided: squared errors times their distance from the reference.

    L = mean over foreground classes and voxels of (p − g)²·d^exponent,
        d = distance to the reference's boundary: the map `distance` inside, `signed_distance` outside, each ≥ 1 voxel

    logits (B, C, *S), labels (B, *S), maps in voxels. L ≥ 0, at most the largest d^exponent of the patch (not
    normalised, so it grows with the patch: weigh it beside a region loss), 0 at a perfect mask. An empty target (per
    class) has no boundary: value and gradient are 0, so nothing acts against its false positives. The mean runs over
    all voxels of the batch that are not −1. For C > 2 every foreground class has its own maps.

    Raises `LossError` unless exponent > 0.

    Source: Karimi & Salcudean 2019 (arXiv 1904.10030), exponent α = 2; MONAI `HausdorffDTLoss`. Deviation:
    theirs adds d_p^α, the transform of the thresholded prediction, at every step. Here only the reference is
    transformed, once per case: where nothing is predicted above ½ both are equal, else this lacks the part that grows
    with the distance from the predicted boundary. A target that fills the patch: MONAI gives 0, here its depth counts.
    """

    required_maps = ("distance", "signed_distance")

    def __init__(self, *, exponent: float = 2.0) -> None:
        super().__init__()
        self.exponent = number(self.name, "exponent", exponent, above=0)

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        p = foreground(logits)
        weight = weights(labels, voxel_weight, p)
        summed = []
        for c in range(1, logits.shape[1]):
            inside, outside = (maps[key][:, c - 1].to(p.dtype) for key in self.required_maps)
            distance = inside + outside.clamp(min=0)
            error = p[:, c - 1] - equals(labels, c, p)
            summed.append((error.square() * distance.pow_(self.exponent).mul_(weight)).sum())
        return mean_over(valid(labels, p), torch.stack(summed).mean())
