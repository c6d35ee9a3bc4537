"""Batches cut from prepared cases, assembled in the background while the network computes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from bench.data.augmentation import change_intensity, move
from bench.data.classes import IGNORED
from bench.data.sampler import Patch, PatchSampler
from models.method import Batch


@dataclass(frozen=True)
class PlannedBatch:
    """A batch with the proof of where it came from."""

    batch: Batch
    plan: tuple[Patch, ...]


def cut(array: npt.NDArray[Any], start: tuple[int, ...], size: tuple[int, ...], fill: float) -> npt.NDArray[Any]:
    """Cut a patch from the last axes of an array; what lies outside the array is `fill`. Copies, never a view."""
    leading = array.ndim - len(size)
    inside = tuple(slice(max(s, 0), max(s + p, 0)) for s, p in zip(start, size, strict=True))
    piece = array[(slice(None),) * leading + inside]
    if piece.shape[leading:] == size:
        return np.array(piece)
    patch = np.full((*array.shape[:leading], *size), fill, array.dtype)
    target = tuple(slice(max(-s, 0), max(-s, 0) + n) for s, n in zip(start, piece.shape[leading:], strict=True))
    patch[(slice(None),) * leading + target] = piece
    return patch


def assemble(sampler: PatchSampler, plan: tuple[Patch, ...]) -> Batch:
    """Cut, augment and stack the patches of a plan.

    Returns:
        image (B, C, *S) float32, padded with 0; labels (B, *S) int64, padded with −1; no maps yet.
    """
    size = sampler.settings.patch_size
    images = np.empty((len(plan), len(sampler.cases[0].image), *size), np.float32)
    labels = np.empty((len(plan), *size), np.int64)
    for index, patch in enumerate(plan):
        case = sampler.cases[patch.case]
        image = _as_float32(cut(case.image, patch.start, size, 0.0))
        images[index] = change_intensity(move(image, patch.augmentation, len(size)), patch.augmentation)
        labels[index] = move(cut(case.labels, patch.start, size, IGNORED), patch.augmentation, len(size))
    maps: Mapping[str, torch.Tensor] = {}
    return Batch(torch.from_numpy(images), torch.from_numpy(labels), maps)


def _as_float32(patch: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """A patch as the network takes it; torch converts float16 ten times as fast as NumPy."""
    if patch.dtype == np.float32:
        return patch
    converted: npt.NDArray[np.float32] = torch.from_numpy(patch).float().numpy()
    return converted


def prefetched(sampler: PatchSampler, first: int, stop: int) -> Iterator[PlannedBatch]:
    """The batches of steps first … stop−1, the next one always being assembled in a second thread."""

    def make(step: int) -> PlannedBatch:
        plan = sampler.plan(step)
        return PlannedBatch(assemble(sampler, plan), plan)

    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as pool:
        upcoming: Future[PlannedBatch] | None = pool.submit(make, first) if first < stop else None
        for step in range(first, stop):
            assert upcoming is not None
            ready = upcoming.result()
            upcoming = pool.submit(make, step + 1) if step + 1 < stop else None
            yield ready
