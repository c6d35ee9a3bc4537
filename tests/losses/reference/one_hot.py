"""What every reference starts from: probabilities, one-hot truth and the voxels that count. Nothing is fast here."""

from __future__ import annotations

import torch
from torch import Tensor


def probabilities(logits: Tensor) -> Tensor:
    """Softmax over the classes, written out: (B, C, *S) of logits -> (B, C, *S) of probabilities."""
    shifted = logits - logits.max(dim=1, keepdim=True).values.detach()
    powers = torch.exp(shifted)
    return powers / powers.sum(dim=1, keepdim=True)


def log_probabilities(logits: Tensor) -> Tensor:
    """ln of the softmax, finite where the probability itself underflows."""
    shifted = logits - logits.max(dim=1, keepdim=True).values.detach()
    return shifted - torch.log(torch.exp(shifted).sum(dim=1, keepdim=True))


def truth(labels: Tensor, classes: int) -> Tensor:
    """One-hot labels (B, C, *S) as float64; a voxel labelled -1 is 0 in every class."""
    return torch.stack([(labels == c).double() for c in range(classes)], dim=1)


def counted(labels: Tensor) -> Tensor:
    """1.0 where a voxel counts, 0.0 where its label is -1: (B, *S)."""
    return (labels != -1).double()


def counted_probabilities(logits: Tensor, labels: Tensor) -> Tensor:
    """Probabilities, 0 in every class where a voxel does not count."""
    return probabilities(logits) * counted(labels)[:, None]


def true_log_probability(logits: Tensor, labels: Tensor) -> Tensor:
    """ln p of the true class (B, *S); 0 where the label is -1."""
    return (truth(labels, logits.shape[1]) * log_probabilities(logits)).sum(dim=1)


def mean(values: list[Tensor]) -> Tensor:
    """The plain mean of scalars."""
    return torch.stack(values).sum() / len(values)
