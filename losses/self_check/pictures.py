"""Slices of a prediction as text, which terminals, JSON and plots can all show."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

UNDECIDED = 0.04
"""Log-odds up to which a voxel counts as undecided: p between .49 and .51."""
LEGEND = {".": "background", "#": "lesion", "o": "missed", "x": "false", "?": "undecided"}


def states(log_odds: Tensor, labels: Tensor) -> npt.NDArray[np.str_]:
    """One character of `LEGEND` per voxel (*S)."""
    odds, mask = log_odds.detach().numpy(), labels.numpy() == 1
    result = np.where(mask, np.where(odds > 0, "#", "o"), np.where(odds > 0, "x", "."))
    return np.where(np.abs(odds) <= UNDECIDED, "?", result)


def picture(characters: npt.NDArray[np.str_]) -> tuple[list[str], int]:
    """The slice of the first axis with most wrong or undecided voxels, else with most lesion, and its number."""
    if characters.ndim == 2:
        return ["".join(row) for row in characters], 0
    space = tuple(range(1, characters.ndim))
    wrong = np.isin(characters, ["o", "x", "?"]).sum(space)
    shown = wrong if wrong.any() else (characters == "#").sum(space)
    index = int(shown.argmax())
    return ["".join(row) for row in characters[index]], index


def mask_rows(mask: Tensor) -> list[str]:
    """A 2D mask as rows of `#` and `.`."""
    return ["".join("#" if voxel else "." for voxel in row) for row in mask.to(torch.bool).tolist()]
