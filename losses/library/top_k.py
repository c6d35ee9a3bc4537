"""Cross entropy of the worst voxels."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

import losses
from losses.domains import number
from losses.labels import voxels
from losses.voxel import cross_entropies


@losses.register("top_k")
class TopK(losses.Loss):
    """Top-k cross entropy: the mean over the worst voxels of the batch.

    L = mean of the k largest −ln p_true,  k = ⌊fraction·number of voxels⌋, at least 1

    logits (B, C, *S), labels (B, *S); L ≥ 0 and unbounded, 0 at a perfect mask. Samples are pooled, so one bad sample
    can take all k. Voxels labelled −1 are neither chosen nor counted; voxel weights multiply the costs before the
    choice. An empty target is ordinary: the worst false positives. fraction = 1 is `cross_entropy`. C > 2: as written.
    Of voxels with equal costs at the edge some are chosen, the same ones in every run.

    Raises `LossError` unless 0 < fraction ≤ 1.

    Source: Wu et al. 2016 (arXiv 1605.06885, online bootstrapping); nnU-Net's `TopKLoss(k=10)`. Deviations: none.
    """

    def __init__(self, *, fraction: float = 0.1) -> None:
        super().__init__()
        self.fraction = number(self.name, "fraction", fraction, above=0, at_most=1)

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        # Ignored voxels cost 0 with zero gradient: they lose against every error and can be drawn into no sum.
        costs = cross_entropies(logits, labels)
        if voxel_weight is not None:
            costs = costs * voxel_weight.to(costs.dtype)
        k = max(1, int(self.fraction * int(voxels(labels, costs))))
        return costs.flatten().topk(k, sorted=False).values.mean()
