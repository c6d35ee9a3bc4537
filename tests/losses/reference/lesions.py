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
    """2 L_global + mean_k L(p outside the other blobs, blob k), L = soft Dice, per sample and foreground class.

    Probabilities (not outputs) are masked; no blob -> that term is 0.
    """
    p, g = counted_probabilities(logits, labels), truth(labels, logits.shape[1])
    losses = []
    for b in range(len(labels)):
        for c in range(1, logits.shape[1]):
            lesions = [torch.from_numpy(k) for k in maps.components((labels[b] == c).numpy())]
            local = []
            for own in lesions:
                kept = (g[b, c] == 0) | own
                local.append(1 - soft_dice(p[b, c] * kept, own.double(), smooth))
            value = global_weight * (1 - soft_dice(p[b, c], g[b, c], smooth))
            losses.append(value + blob_weight * mean(local) if local else value)
    return mean(losses)


def connected_component(logits: Tensor, labels: Tensor, *, smooth: float = 0.0, cell_weight: float = 1.0) -> Tensor:
    """L_DiceCE + mean_k DiceCE on the Voronoi cell of lesion k, two classes; no lesion -> the global part only."""
    assert logits.shape[1] == 2
    p, g = counted_probabilities(logits, labels), truth(labels, 2)
    ce, count = -true_log_probability(logits, labels), counted(labels)
    losses = []
    for b in range(len(labels)):

        def dice_ce(cell: Tensor, b: int = b) -> Tensor:
            cross_entropy = (ce[b] * cell).sum() / (count[b] * cell).sum()
            return 1 - soft_dice(p[b, 1] * cell, g[b, 1] * cell, smooth) + cross_entropy

        value = dice_ce(torch.ones_like(count[b]))
        cells = [torch.from_numpy(cell).double() for cell in maps.nearest_lesion((labels[b] == 1).numpy())]
        if cells:
            value = value + cell_weight * mean([dice_ce(cell) for cell in cells])
        losses.append(value)
    return mean(losses)
