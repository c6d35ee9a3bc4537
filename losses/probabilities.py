"""What losses that look at single voxels start from: probabilities and weights, without a one-hot tensor."""

from __future__ import annotations

import torch
from torch import Tensor

from losses.voxel import valid


def precise(logits: Tensor) -> Tensor:
    """The logits in float32, in float64 where they are float64."""
    return logits if logits.dtype == torch.float64 else logits.float()


def foreground(logits: Tensor) -> Tensor:
    """Softmax probabilities (B, C-1, *S) of all classes but the background; two classes need one sigmoid."""
    exact = precise(logits)
    if logits.shape[1] == 2:
        return torch.sigmoid(exact[:, 1:] - exact[:, :1])
    return exact.softmax(1)[:, 1:]


def weights(labels: Tensor, voxel_weight: Tensor | None, like: Tensor) -> Tensor:
    """Voxel weights (B, *S), 1 where none are given, 0 where the label is −1."""
    counted = valid(labels, like)
    return counted if voxel_weight is None else counted.mul_(voxel_weight.to(like.dtype))


def sample_mean(per_sample: Tensor, weight: Tensor) -> Tensor:
    """The mean of (B,) over the samples with any weight (B, *S), as region losses take it; 0 where there is none."""
    present = (weight.flatten(1) > 0).any(1).to(per_sample.dtype)
    return torch.dot(per_sample, present) / present.sum().clamp(min=1)
