"""Boundary loss."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

import losses
from losses.base import Loss
from losses.probabilities import foreground, weights
from losses.voxel import mean_over, valid


@losses.register("boundary")
class Boundary(Loss):
    """Boundary loss: probabilities times the signed distance from the boundary, so far errors cost more.

    L = mean over foreground classes and voxels of p·φ,  φ = the map `signed_distance` (below 0 inside)

    logits (B, C, *S), labels (B, *S), map `signed_distance` in voxels. The mean runs over all voxels of the batch that
    are not −1. Not bounded by 0: a perfect mask gives minus the mean depth (0 for lesions one voxel thick), the least
    value there is, and every false positive adds its distance. On an empty target φ = 0 (per class): value and gradient
    are 0, so nothing acts against false positives; and φ = 0 on the outermost layer of a lesion leaves those voxels
    free. Both are why it is added to a region loss, often with a weight that grows: see the example of `sum`. For C > 2
    every foreground class has its own map.

    Raises `LossError` if the map is missing or misshapen.

    Source: Kervadec et al. 2019 (arXiv 1812.07032) and the authors' `one_hot2dist`. Deviations, in the
    map: distances are floats (an integer one-hot cut them to whole numbers, which turns signs near the truth); the
    outermost layer is 0 for any spacing (−(d − 1) is positive there where voxels are smaller than 1 mm); 3D.
    """

    required_maps = ("signed_distance",)

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        p = foreground(logits)
        weight = weights(labels, voxel_weight, p)[:, None] * maps["signed_distance"].to(p.dtype)
        return mean_over(valid(labels, p), (p * weight).sum() / p.shape[1])
