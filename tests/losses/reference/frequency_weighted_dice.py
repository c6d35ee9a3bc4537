"""Two channels, batch sums, each channel weighted by the frequency of the other: 1 - (w_bg D_bg + w_fg D_fg)."""

from __future__ import annotations

from torch import Tensor

from .dice import soft_dice
from .one_hot import counted, counted_probabilities, truth


def frequency_weighted_dice(logits: Tensor, labels: Tensor, *, smooth: float = 1e-5) -> Tensor:
    """w_bg is the foreground fraction of the batch and w_fg = 1 - w_bg.

    Beyond the sheet, as the loss documents it: for C > 2 the mean frequency of the other classes.
    """
    classes = logits.shape[1]
    p, g = counted_probabilities(logits, labels), truth(labels, classes)
    frequencies = [g[:, c].sum() / counted(labels).sum() for c in range(classes)]
    others = [(sum(frequencies) - frequency) / (classes - 1) for frequency in frequencies]
    return 1 - sum(w * soft_dice(p[:, c], g[:, c], smooth) for c, w in enumerate(others))
