"""Lovász-softmax: Σ sorted errors · gradient of the Jaccard index, per batch, classes present."""

from __future__ import annotations

import torch
from torch import Tensor

from .one_hot import mean, probabilities, truth


def lovasz(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean over the classes that are in the batch, background included."""
    p, g = probabilities(logits), truth(labels, logits.shape[1])
    valid = labels != -1
    losses = []
    for c in range(logits.shape[1]):
        if g[:, c].any():
            losses.append(_one_class((g[:, c] - p[:, c]).abs()[valid], g[:, c][valid]))
    return mean(losses)


def _one_class(errors: Tensor, truth_values: Tensor) -> Tensor:
    """Each error, worst first, times how much the Jaccard loss grows when its voxel joins the wrong ones."""
    order = torch.argsort(errors, descending=True).tolist()
    positives = float(truth_values.sum())
    missed = wrong = before = 0.0
    total = errors.new_zeros(())
    for i in order:
        if truth_values[i]:
            missed += 1
        else:
            wrong += 1
        jaccard_loss = 1 - (positives - missed) / (positives + wrong)
        total = total + errors[i] * (jaccard_loss - before)
        before = jaccard_loss
    return total
