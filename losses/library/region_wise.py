"""Region-wise loss."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

import losses
from losses.base import Loss
from losses.probabilities import foreground, weights
from losses.voxel import equals, mean_over, valid


@losses.register("region_wise")
class RegionWise(Loss):
    """Rectified region-wise loss: probabilities times a map that rewards a class by its depth and fines it elsewhere.

    L = mean over all classes (background too) and voxels of p_c·z_c,  z_c = −D_c / max D_c inside class c, 1 outside,
        D_c = distance to the nearest voxel of another class, max over the sample's patch

    logits (B, C, *S), labels (B, *S), maps `distance` (D of the foreground classes) and `signed_distance` (D of the
    background: the nearest foreground class). The mean runs over all voxels of the batch that are not −1. −1/C ≤ L ≤
    1/C; negative at a perfect mask, which is the one minimum: z is below 0 inside and 1 outside, for every voxel. An
    absent class has z = 1 everywhere; a background without any lesion to be far from has z = −1, so an empty target
    pushes every foreground down and the right answer to it costs −1/C.

    Raises `LossError` if a map is missing or misshapen.

    Source: Valverde & Tohka 2022 (Pattern Recognition; arXiv 2108.01405), rectified maps, as in the authors' `RWLoss`.
    Deviations: their transform of a patch that is all background has no meaning (z = −1 here); with maps of the case a
    lesion cut by the patch keeps its true depth. It needs no schedule, unlike `boundary`.
    """

    required_maps = ("distance", "signed_distance")

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        p = foreground(logits)
        weight = weights(labels, voxel_weight, p)
        ground = _map(_to_foreground(maps["signed_distance"].to(p.dtype)), equals(labels, 0, p))
        total = ground  # Σ_c p_c·z_c with p_0 = 1 − Σ p_c
        for c in range(1, logits.shape[1]):
            own = _map(maps["distance"][:, c - 1].to(p.dtype), equals(labels, c, p))
            total = total + p[:, c - 1] * (own - ground)
        return mean_over(valid(labels, p), (total * weight).sum() / logits.shape[1])


def _to_foreground(signed: Tensor) -> Tensor:
    """Distance (B, *S) of a background voxel to the nearest class that is there, inf where none is."""
    return torch.where(signed > 0, signed, torch.inf).amin(1)


def _map(distance: Tensor, inside: Tensor) -> Tensor:
    """−D / max D inside, 1 outside; −1 where D is infinite. Distances outside the class are not looked at."""
    measured = torch.where(distance.isfinite(), distance, 0) * inside
    deepest = measured.flatten(1).amax(1).view(-1, *[1] * (distance.ndim - 1))
    depth = torch.where(distance.isfinite(), measured / deepest.clamp(min=torch.finfo(distance.dtype).tiny), 1)
    return torch.where(inside > 0, -depth, 1)
