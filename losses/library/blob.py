"""Blob loss."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

import losses
from losses.base import Loss
from losses.components import Parts
from losses.domains import number
from losses.errors import LossError
from losses.probabilities import foreground, sample_mean, weights
from losses.region import ratio, smoothing
from losses.voxel import equals


@losses.register("blob")
class Blob(Loss):
    """Blob loss: Dice of the whole, and the mean over lesions of the Dice with all other lesions masked out.

    L = mean over samples of global_weight·L_Dice + blob_weight·mean_k L_k,
    L_k = 1 − (2·Σ_k p + smooth) / (Σ_k p + Σ_0 p + #k + smooth),  Σ_k over lesion k, Σ_0 over what is no lesion

    logits (B, C, *S), labels (B, *S), map `lesion_id`; 0 ≤ L ≤ global_weight + blob_weight, 0 at a perfect mask. Small
    and large lesions weigh alike; a false positive costs every lesion of the patch, small ones most. A sample without
    lesion has no second term: global_weight·Dice of an empty target remains (see `dice`). Lesions are those of the
    patch: numbers need not be consecutive, a lesion cut by the patch counts by its part inside. For C > 2: per
    foreground class, the mean over its lesions, then over the classes that have any (Dice: over all foreground
    classes). Samples of −1 leave the mean.

    Raises `LossError` for weights or `smooth` < 0, or both weights 0.

    Source: Kofler et al. 2023 (IPMI; arXiv 2205.08209), α = 2 and β = 1 as published, Dice as criterion. Deviations:
    probabilities are masked, where the authors' code multiplies the raw output, which a criterion with its own sigmoid
    turns into p = ½ in every masked lesion: no gradient there, but half their voxels in the denominator. A sample
    without lesion counts as 0 in the mean over samples; there it leaves the mean of the second term.
    """

    required_maps = ("lesion_id",)

    def __init__(self, *, global_weight: float = 2.0, blob_weight: float = 1.0, smooth: float = 1e-5) -> None:
        super().__init__()
        self.global_weight = number(self.name, "global_weight", global_weight, at_least=0)
        self.blob_weight = number(self.name, "blob_weight", blob_weight, at_least=0)
        self.smooth = smoothing(self.name, smooth)
        if self.global_weight + self.blob_weight == 0:
            raise LossError(f"{self.name}: global_weight and blob_weight are both 0, so nothing would cost anything")

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        p = foreground(logits)
        weight = weights(labels, voxel_weight, p)
        whole, blobs, present = [], [], []
        for c in range(1, logits.shape[1]):
            parts = Parts(self.name, "lesion_id", maps["lesion_id"][:, c - 1 : c])
            weighted = p[:, c - 1 : c] * weight[:, None]
            target = equals(labels, c, p)[:, None]
            whole.append(self._dice((weighted * target).flatten(1).sum(1), weighted, target * weight[:, None]))
            mean, any_blob = self._mean_of_blobs(parts.sums(weighted)[:, 0], parts.sums(target * weight[:, None])[:, 0])
            blobs.append(mean)
            present.append(any_blob)
        of_blobs = torch.stack(blobs, 1).sum(1) / torch.stack(present, 1).sum(1).clamp(min=1)
        per_sample = self.global_weight * torch.stack(whole, 1).mean(1) + self.blob_weight * of_blobs
        return sample_mean(per_sample, weight)

    def _dice(self, overlap: Tensor, predicted: Tensor, target: Tensor) -> Tensor:
        volumes = predicted.flatten(1).sum(1) + target.flatten(1).sum(1)
        return 1 - ratio(2 * overlap, volumes, self.smooth)

    def _mean_of_blobs(self, predicted: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Mean L_k (B,) of sums (B, largest number + 1), and whether there is any lesion (B,)."""
        own, elsewhere = predicted[:, 1:], predicted[:, :1]
        cost = 1 - ratio(2 * own, own + elsewhere + target[:, 1:], self.smooth)
        present = (target[:, 1:] > 0).to(cost.dtype)
        count = present.sum(1)
        return (cost * present).sum(1) / count.clamp(min=1), (count > 0).to(cost.dtype)
