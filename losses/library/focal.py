"""Focal loss."""

from __future__ import annotations

import torch
from torch import Tensor

import losses
from losses.domains import number
from losses.voxel import VoxelLoss


@losses.register("focal")
class Focal(VoxelLoss):
    """Focal loss: cross entropy that leaves voxels alone once they are right.

    L = mean over voxels of −w·(1 − p_true)^exponent · ln p_true,
        w = foreground_weight where the label is foreground, 1 − foreground_weight on the background

    logits (B, C, *S), labels (B, *S); L ≥ 0 and unbounded, 0 at a perfect mask. The mean runs over all voxels of the
    batch that are not −1, so an empty target is ordinary: only false positives cost. For C > 2 all foreground classes
    have the same weight. exponent = 0 and foreground_weight = 0.5 is half the cross entropy.

    Raises `LossError` unless exponent ≥ 0 and 0 ≤ foreground_weight ≤ 1.

    Source: Lin et al. 2017 (arXiv 1708.02002), equation 5, whose α_t is w and γ the exponent; its published α is .25
    on the foreground. Here the default is .75, as Shirokikh et al. 2020 (arXiv 2007.10033) chose for lesions.
    Deviation: softmax instead of a sigmoid per class – the same for two classes; the mean over voxels instead of a
    division by the number of anchors. MONAI's softmax form averages over channels too and is half of this at C = 2.
    """

    def __init__(self, *, exponent: float = 2.0, foreground_weight: float = 0.75) -> None:
        super().__init__()
        self.exponent = number(self.name, "exponent", exponent, at_least=0)
        self.foreground_weight = number(self.name, "foreground_weight", foreground_weight, at_least=0, at_most=1)

    def class_weight(self, logits: Tensor) -> Tensor:
        weight = logits.new_full((logits.shape[1],), self.foreground_weight, dtype=torch.float64)
        weight[0] = 1 - self.foreground_weight
        return weight

    def cost(self, x: Tensor, rest: Tensor) -> tuple[Tensor, Tensor]:
        power = rest.pow(self.exponent)
        # ∂rest/∂x = p_true; x/rest → 1 as rest → 0, where both are 0 and the power alone remains.
        slope = x / rest.clamp(min=torch.finfo(rest.dtype).tiny)
        slope.mul_(self.exponent).mul_(1 - rest).add_(1).mul_(power)
        return x.mul_(power), slope
