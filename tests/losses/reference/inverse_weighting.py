"""Inverse weighting: each lesion's voxels weigh by the inverse of its size, inside the patch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from . import maps


def component_weights(labels: Tensor, clip: tuple[float, float] = (1.0, 2e5)) -> Tensor:
    """The release formula: N / ((K + 1) #C), the background is one more component; clipped. K = 0: all 1."""
    result = torch.zeros(labels.shape, dtype=torch.float64)
    for b, (parts, background, voxels) in enumerate(_parts(sample) for sample in labels):
        for part in [background, *parts] if parts else []:
            result[b][part] = float(np.clip(voxels / ((len(parts) + 1) * int(part.sum())), *clip)) if part.any() else 0
        if not parts:
            result[b][background] = 1.0
    return result


def unit_weights(labels: Tensor) -> Tensor:
    """The submission formula: n_pos / (K #C) in a lesion, 1 in the background, not clipped. K = 0: all 1."""
    result = torch.zeros(labels.shape, dtype=torch.float64)
    for b, (parts, background, _) in enumerate(_parts(sample) for sample in labels):
        result[b][background] = 1.0
        for part in parts:
            result[b][part] = float(sum(other.sum() for other in parts)) / (len(parts) * float(part.sum()))
    return result


def _parts(sample: Tensor) -> tuple[list[Tensor], Tensor, int]:
    """The lesions of all foreground classes, the background voxels and the number of voxels that count."""
    lesions = [
        torch.from_numpy(lesion)
        for c in range(1, int(sample.max()) + 1)
        for lesion in maps.components((sample == c).numpy())
    ]
    return lesions, sample == 0, int((sample != -1).sum())
