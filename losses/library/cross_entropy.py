"""Cross entropy."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

import losses
from losses.base import IGNORED
from losses.domains import number
from losses.labels import equals, precision, valid
from losses.voxel import VoxelLoss, mean_over, plain


@losses.register("cross_entropy")
class CrossEntropy(VoxelLoss):
    """Cross entropy: the mean negative log-probability of the true class, all classes alike.

    L = mean over voxels of −(1 − s)·ln p_true − s/C·Σ_c ln p_c,  s = label_smoothing

    logits (B, C, *S), labels (B, *S); L ≥ 0 and unbounded, 0 at a perfect mask (more with smoothing). The mean runs
    over all voxels of the batch that are not −1, background included, so an empty target is ordinary; with every
    voxel ignored L = 0 with zero gradient. C > 2: one softmax over all classes.

    Raises `LossError` unless 0 ≤ label_smoothing ≤ 1.

    Source: the standard form, equal to `torch.nn.functional.cross_entropy(ignore_index=-1)`. Deviations: none.
    """

    def __init__(self, *, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = number(self.name, "label_smoothing", label_smoothing, at_least=0, at_most=1)

    def cost(self, x: Tensor, rest: Tensor) -> tuple[Tensor, float]:
        return plain(x, rest)

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        if self.label_smoothing == 0:
            return super().compute(logits, labels, maps, voxel_weight)
        precise = logits.to(precision(logits))
        counted = valid(labels, precise)
        weight = counted if voxel_weight is None else counted * voxel_weight.to(precise.dtype)
        smoothed = self._two_classes if logits.shape[1] == 2 else self._many_classes
        return mean_over(counted, smoothed(precise, labels, weight))

    def _two_classes(self, logits: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        """Σ w·cost from z = l1 − l0 alone: half the time of a softmax over two channels."""
        background, foreground = logits.unbind(1)
        wanted = equals(labels, 1, logits).mul_(1 - self.label_smoothing).add_(self.label_smoothing / 2)
        z = foreground - background
        return F.binary_cross_entropy_with_logits(z, wanted, weight, reduction="sum")

    def _many_classes(self, logits: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        cost = F.cross_entropy(
            logits, labels.long(), ignore_index=IGNORED, label_smoothing=self.label_smoothing, reduction="none"
        )
        return (cost * weight).sum()
