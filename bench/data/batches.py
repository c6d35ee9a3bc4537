"""Batches cut from prepared cases, assembled in the background while the network computes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from bench.data.augmentation import change_intensity, move
from bench.data.classes import IGNORED
from bench.data.cutting import cut
from bench.data.maps import Maps
from bench.data.patch_maps import NO_MAPS, PatchMaps
from bench.data.sampler import Patch, PatchSampler
from models.method import Batch


@dataclass(frozen=True)
class PlannedBatch:
    """A batch with the proof of where it came from."""

    batch: Batch
    plan: tuple[Patch, ...]


def assemble(sampler: PatchSampler, plan: tuple[Patch, ...], maps: PatchMaps = NO_MAPS) -> Batch:
    """Cut, augment and stack the patches of a plan.

    Returns:
        image (B, C, *S) float32, padded with 0; labels (B, *S) int64, padded with −1; the required maps
        (B, C−1, *S) float32, numbers of lesions int32, padded with 0; `coordinates` (B, len(S), *S) float32.
    """
    size = sampler.settings.patch_size
    images = np.empty((len(plan), len(sampler.cases[0].image), *size), np.float32)
    labels = np.empty((len(plan), *size), np.int64)
    stacked: Maps = {}
    for index, patch in enumerate(plan):
        case = sampler.cases[patch.case]
        image = _as_float32(cut(case.image, patch.start, size, 0.0))
        images[index] = change_intensity(move(image, patch.augmentation, len(size)), patch.augmentation)
        labels[index] = move(cut(case.labels, patch.start, size, IGNORED), patch.augmentation, len(size))
        for name, piece in maps.of(patch, case.labels, size, case.spacing_mm).items():
            values = _as_float32(piece) if piece.dtype.kind == "f" else piece
            if name not in stacked:
                stacked[name] = np.empty((len(plan), *values.shape), values.dtype)
            stacked[name][index] = values
    tensors = {name: torch.from_numpy(batched) for name, batched in stacked.items()}
    return Batch(torch.from_numpy(images), torch.from_numpy(labels), tensors)


def _as_float32(patch: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """A patch as the network takes it; torch converts float16 ten times as fast as NumPy."""
    if patch.dtype == np.float32:
        return patch
    converted: npt.NDArray[np.float32] = torch.from_numpy(np.ascontiguousarray(patch)).float().numpy()
    return converted


def prefetched(sampler: PatchSampler, first: int, stop: int, maps: PatchMaps = NO_MAPS) -> Iterator[PlannedBatch]:
    """The batches of steps first … stop−1, the next one always being assembled in a second thread."""

    def make(step: int) -> PlannedBatch:
        plan = sampler.plan(step)
        return PlannedBatch(assemble(sampler, plan, maps), plan)

    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as pool:
        upcoming: Future[PlannedBatch] | None = pool.submit(make, first) if first < stop else None
        for step in range(first, stop):
            assert upcoming is not None
            ready = upcoming.result()
            upcoming = pool.submit(make, step + 1) if step + 1 < stop else None
            yield ready
