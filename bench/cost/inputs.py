"""What all methods are measured on: one batch and one volume, from the suite's prepared cases or generated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bench.data.batches import assemble
from bench.data.cache.store import CaseCache
from bench.data.geometry import place
from bench.data.patch_maps import PatchMaps
from bench.data.prepared import Prepared, open_prepared
from bench.data.sampler import PatchSampler, PatchSource
from bench.data.volume import Geometry
from bench.execution.assembly import TrainingCase
from bench.execution.planning import Planned
from bench.execution.scoring import Image
from bench.suite.schema import Suite
from models.method import Batch

LESIONS = 3
"""Ellipsoids of each class in a generated volume."""


class Source(PatchSource, TrainingCase, Protocol):
    """A case that patches are cut from and that losses take their statistics from."""


@dataclass(frozen=True)
class Inputs:
    """The fixed inputs with, for each, words that tell where it comes from."""

    sampler: PatchSampler
    train: Sequence[Source]
    volume: Image
    batch_words: str
    volume_words: str

    @cached_property
    def batch(self) -> Batch:
        """The sampler's first batch."""
        return assemble(self.sampler, self.sampler.plan(0))

    def batch_with(self, required: tuple[str, ...]) -> Batch:
        """The same batch with these maps. They are computed in the patch; in a step it does not matter where."""
        if not required:
            return self.batch
        maps = PatchMaps(required, len(self.train[0].class_voxels))
        added = assemble(self.sampler, self.sampler.plan(0), maps).maps
        return Batch(self.batch.image, self.batch.labels, added)


@dataclass(frozen=True)
class GeneratedCase:
    """A volume of noise with bright ellipsoids, twice the patch along each axis; 1 mm voxels, native = prepared."""

    image: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int8]
    classes: int
    id: str = "generated"
    roi: None = None

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        return (1.0,) * self.labels.ndim

    @cached_property
    def foreground(self) -> tuple[npt.NDArray[np.int64], ...]:
        return tuple(np.flatnonzero(self.labels == number) for number in range(1, self.classes + 1))

    @property
    def class_voxels(self) -> tuple[int, ...]:
        counts = [len(voxels) for voxels in self.foreground]
        return (self.labels.size - sum(counts), *counts)

    @property
    def meta(self) -> dict[str, Any]:
        return {"placement": place(Geometry.plain(self.labels.shape), None).to_json()}


def choose_inputs(planned: Planned) -> Inputs:
    """The first batch of the suite's first cell and its median test case, where all of its cases are in the cache.

    Else both come from a generated case of the suite's shape, so that costs can be measured where no data is.
    """
    suite, seed = planned.suite, planned.suite.seeds[0]
    size = _by(suite.sampling.patch_size)
    cell, cache = next(iter(planned.selected()), None), CaseCache.of_user()
    if cell is not None and all(map(cache.holds, (*cell.train, *cell.test))):
        train, test = ([open_prepared(cache.folder(identity)) for identity in part] for part in (cell.train, cell.test))
        volume = _median_case(test)
        return Inputs(
            PatchSampler(train, suite.sampling, seed),
            train,
            volume,
            f"first batch of seed {seed} from the {len(train)} prepared training cases",
            f"case {volume.id}, {_by(volume.image.shape[1:])} voxels, the median of {len(test)} prepared test cases",
        )
    case = generate_case(suite, planned.datasets["main"].channels() or 1)
    share = 1 - case.class_voxels[0] / case.labels.size
    return Inputs(
        PatchSampler([case], suite.sampling, seed),
        [case],
        case,
        f"generated: patches of {size} voxels of noise with ellipsoids ({share:.2%} of the volume) as targets",
        f"generated: {_by(case.labels.shape)} voxels, twice the patch along each axis",
    )


def generate_case(suite: Suite, channels: int) -> GeneratedCase:
    """The same case for the same suite."""
    random = np.random.default_rng(0)
    shape = tuple(2 * extent for extent in suite.sampling.patch_size)
    radii = [extent // 8 for extent in suite.sampling.patch_size]
    axes = np.ogrid[tuple(slice(-radius, radius + 1) for radius in radii)]
    ellipsoid = sum((axis / (radius + 0.5)) ** 2 for axis, radius in zip(axes, radii, strict=True)) <= 1
    labels, classes = np.zeros(shape, np.int8), len(suite.dataset.classes)
    for number in [*range(1, classes + 1)] * LESIONS:
        centre = [int(random.integers(radius, n - radius)) for radius, n in zip(radii, shape, strict=True)]
        near = tuple(slice(c - radius, c + radius + 1) for c, radius in zip(centre, radii, strict=True))
        labels[near][ellipsoid] = number
    image = random.standard_normal((channels, *shape), np.float32)
    image += labels > 0
    return GeneratedCase(image, labels, classes)


def _median_case(cases: Sequence[Prepared]) -> Prepared:
    """By number of voxels; of an even number the larger of the two in the middle."""
    return sorted(cases, key=lambda case: math.prod(case.image.shape))[len(cases) // 2]


def _by(shape: Sequence[int]) -> str:
    """`32×32×32`."""
    return "×".join(map(str, shape))
