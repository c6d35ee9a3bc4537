"""Lovász-softmax."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

import losses
from losses.base import Loss
from losses.domains import flag
from losses.probabilities import foreground, sample_mean, weights
from losses.voxel import equals


@losses.register("lovasz")
class Lovasz(Loss):
    """Lovász-softmax: the Jaccard index of hard masks, extended to probabilities by sorting the errors.

    L = mean over the classes that are present of Σ_i e_(i)·(Δ_i − Δ_(i−1)),  e = |g − p| sorted, largest first,
        Δ_i = 1 − Jaccard index of the class when the i worst voxels are wrong and all others right

    logits (B, C, *S), labels (B, *S); 0 ≤ L ≤ 1, 0 at a perfect mask, 1 − Jaccard index for certain predictions. An
    absent class leaves the mean, so on an empty target only the background's index acts against false positives –
    and nothing, value and gradient 0, with include_background=False. The sort costs more than any other loss here.

    batch               True: one Jaccard index per class over the whole batch; False: per sample, then the mean.
    include_background  whether class 0 is a class of the mean. For C = 2 both classes have the same errors, yet not
                        the same index: the background's is near 1 for small lesions, so half the loss says little.
    Voxel weights w make the weighted Jaccard index; −1 has weight 0 and moves no rank. For C > 2: one class against the
    rest. Where errors are equal the gradient is one of several: which of the equal voxels comes first is not defined.

    Raises `LossError` for flags that are not booleans.

    Source: Berman et al. 2018 (arXiv 1705.08790); the defaults are the authors' (`per_image=False`,
    classes "present", background included). Deviations: 3D; Δ_i − Δ_(i−1) is computed as one fraction in float64, where
    a difference of numbers near 1 in float32 has no digit left in patches of a million voxels.
    """

    def __init__(self, *, include_background: bool = True, batch: bool = True) -> None:
        super().__init__()
        self.include_background = flag(self.name, "include_background", include_background)
        self.batch = flag(self.name, "batch", batch)

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        del maps
        p = foreground(logits)
        weight = self._rows(weights(labels, voxel_weight, p))
        values, present = [], []
        order: Tensor | None = None
        for c in range(0 if self.include_background else 1, logits.shape[1]):
            probability = p[:, c - 1] if c else 1 - p.sum(1)
            target = equals(labels, c, p)
            error = self._rows(torch.where(target > 0, 1 - probability, probability))
            target = self._rows(target)
            if order is None or logits.shape[1] > 2:  # the two classes of C = 2 have the same errors
                order = error.detach().argsort(1, descending=True)
            values.append((error * _steps(target, weight, order)).sum(1))
            present.append((target * weight > 0).any(1).to(p.dtype))
        there = torch.stack(present, 1)
        per_row = (torch.stack(values, 1) * there).sum(1) / there.sum(1).clamp(min=1)
        return sample_mean(per_row, weight)

    def _rows(self, values: Tensor) -> Tensor:
        """One row per Jaccard index."""
        return values.reshape(1 if self.batch else len(values), -1)


@torch.no_grad()
def _steps(target: Tensor, weight: Tensor, order: Tensor) -> Tensor:
    """∂L/∂e: by how much the Jaccard index falls when this voxel joins the wrong ones, in the order of the voxels."""
    missed = weight.gather(1, order).double()
    right = target.gather(1, order) > 0
    added = missed.clone().masked_fill_(right, 0)
    missed.sub_(added)
    # Before this voxel joins: what is still right of the class, and the class with all that was added to it.
    intersection = missed.cumsum(1).neg_().add_(missed.sum(1, keepdim=True)).add_(missed).clamp_(min=0)
    union = added.cumsum(1).sub_(added).add_(missed.sum(1, keepdim=True)).clamp_(min=torch.finfo(torch.float64).tiny)
    intersection.div_(union).mul_(added).div_(added.add_(union))
    steps = torch.where(right, missed.div_(union), intersection)
    return torch.zeros_like(target).scatter_(1, order, steps.to(target.dtype))
