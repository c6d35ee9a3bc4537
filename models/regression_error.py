"""How far a regressed map is from its target, over the voxels that are not ignored."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from losses.labels import precision

REDUCTIONS = ("mean", "foreground")


def smooth_l1(regressed: Tensor, target: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
    """Smooth L1 between maps (B, K, *S): x²/2 below 1, |x| − 1/2 above, 0 where the label (B, *S) is −1; ().

    reduction  "mean": over all voxels and classes, so that the term of a small lesion is small (the authors').
               "foreground": the sum over the number of foreground voxels, at least 1, whatever the size of the patch.
    """
    return _reduced(F.smooth_l1_loss(*_exact(regressed, target), reduction="none"), labels, reduction)


def absolute(regressed: Tensor, target: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
    """Mean absolute error between maps (B, K, *S), reduced as in `smooth_l1`."""
    return _reduced(F.l1_loss(*_exact(regressed, target), reduction="none"), labels, reduction)


def _exact(regressed: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both in float32, or float64 where the regressed map is."""
    dtype = precision(regressed)
    return regressed.to(dtype), target.to(dtype)


def _reduced(error: Tensor, labels: Tensor, reduction: str) -> Tensor:
    counted = (labels >= 0).unsqueeze(1)
    voxels = (labels > 0).sum() if reduction == "foreground" else counted.sum() * error.shape[1]
    return (error * counted).sum() / voxels.clamp(min=1)
