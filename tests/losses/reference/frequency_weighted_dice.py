"""Two channels, batch sums, each channel weighted by the frequency of the other: 1 - (w_bg D_bg + w_fg D_fg)."""

from __future__ import annotations

from torch import Tensor

from .dice import soft_dice
from .one_hot import counted, counted_probabilities, truth


def frequency_weighted_dice(logits: Tensor, labels: Tensor, *, smooth: float = 1e-5) -> Tensor:
    """w_bg is the foreground fraction of the batch and w_fg = 1 - w_bg; the sheet defines two classes only."""
    assert logits.shape[1] == 2
    p, g = counted_probabilities(logits, labels), truth(labels, 2)
    background_weight = g[:, 1].sum() / counted(labels).sum()
    scores = [soft_dice(p[:, c], g[:, c], smooth) for c in range(2)]
    return 1 - (background_weight * scores[0] + (1 - background_weight) * scores[1])
