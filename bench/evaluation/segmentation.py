"""From a prepared case to a label map on its native grid: the one path of validation, test and prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from bench.data.preprocessing import restore
from bench.evaluation.inference import predict_probabilities
from bench.evaluation.settings import EvaluationSettings

Segment = Callable[[torch.Tensor], torch.Tensor]
"""A method's inference: images (B, C, *S) → probabilities (B, K + 1, *S)."""


def segment_case(
    segment: Segment,
    image: npt.NDArray[np.floating[Any]],
    meta: Mapping[str, Any],
    patch_size: tuple[int, ...],
    settings: EvaluationSettings,
    device: torch.device,
) -> npt.NDArray[np.int8]:
    """Segment a whole prepared volume (C, *S) by sliding windows and bring the result back to the native grid.

    `meta` is the prepared case's description of where it lies in the native volume; voxels outside of it are
    background.
    """
    probabilities = predict_probabilities(
        segment,
        torch.from_numpy(np.array(image, dtype=np.float32)),  # a copy: prepared images are mapped read-only
        patch_size=patch_size,
        overlap=settings.window_overlap,
        batch_size=settings.window_batch,
        device=device,
    )
    return restore(probabilities.cpu().numpy(), meta)
