"""Losses that look at one lesion at a time: blob loss and CC-DiceCE."""

from __future__ import annotations

import torch
from torch import Tensor

from . import maps
from .dice import soft_dice
from .one_hot import counted, counted_probabilities, mean, true_log_probability, truth


def blob(
    logits: Tensor, labels: Tensor, *, global_weight: float = 2.0, blob_weight: float = 1.0, smooth: float = 1e-5
) -> Tensor:
    """2 L_global + mean_k L(p outside the other blobs, blob k), L = soft Dice, per sample.

    Probabilities (not outputs) are masked; no blob -> that term is 0. Beyond the sheet, as the loss documents it: for
    C > 2 the first term is the mean over the foreground classes, the second over those that have a blob.
    """
    p, g = counted_probabilities(logits, labels), truth(labels, logits.shape[1])
    losses = []
    for b in range(len(labels)):
        whole, per_class = [], []
        for c in range(1, logits.shape[1]):
            whole.append(1 - soft_dice(p[b, c], g[b, c], smooth))
            local = []
            for own in (torch.from_numpy(k) for k in maps.components((labels[b] == c).numpy())):
                kept = (g[b, c] == 0) | own
                local.append(1 - soft_dice(p[b, c] * kept, own.double(), smooth))
            per_class += [mean(local)] if local else []
        value = global_weight * mean(whole)
        losses.append(value + blob_weight * mean(per_class) if per_class else value)
    return mean(losses)


def connected_component(
    logits: Tensor, labels: Tensor, *, smooth: float = 0.0, component_weight: float = 1.0
) -> Tensor:
    """L_DiceCE + mean_k DiceCE on the Voronoi cell of lesion k; no lesion -> the global part only.

    Beyond the sheet, as the loss documents it: the global CE is the mean over the batch; for C > 2 each foreground
    class has its cells, and the local term is the mean over the classes that have any.
    """
    p, g = counted_probabilities(logits, labels), truth(labels, logits.shape[1])
    ce, count = -true_log_probability(logits, labels), counted(labels)
    losses = []
    for b in range(len(labels)):
        per_class, whole = [], []
        for c in range(1, logits.shape[1]):
            whole.append(1 - soft_dice(p[b, c], g[b, c], smooth))
            cells = maps.nearest_lesion((labels[b] == c).numpy())
            local = []
            for cell in (torch.from_numpy(cell).double() for cell in cells):
                dice = 1 - soft_dice(p[b, c] * cell, g[b, c] * cell, smooth)
                local.append(dice + (ce[b] * cell).sum() / (count[b] * cell).sum())
            per_class += [mean(local)] if local else []
        losses.append(mean(whole) + component_weight * mean(per_class) if per_class else mean(whole))
    return mean(losses) + ce.sum() / count.sum()
