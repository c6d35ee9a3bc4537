"""Which patches a training step sees: a pure function of (seed, step).

No state is carried from step to step, so a resumed run needs none, and every method of a comparison that shares seed
and fold is shown the identical patches in the identical order, which `digest` proves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from bench.data.augmentation import AugmentationSettings, PatchAugmentation, draw_augmentation
from bench.settings import PositiveInt, Settings

SAMPLER_VERSION = 1
"""Part of every cell's hash: raise it when the same settings would give other patches."""

ROI_CANDIDATES = 256
"""Random voxels tried for a centre inside the region of interest before all of its voxels are listed."""


class SamplingSettings(Settings):
    """Patches of a training batch."""

    patch_size: tuple[PositiveInt, ...]
    """Extent of a patch in voxels of the prepared volume, (z, y, x) or (y, x)."""
    batch_size: PositiveInt = 2
    foreground_patches: Annotated[int, Field(ge=0)] = 1
    """Patches of each batch that are centred on a target voxel; the others lie anywhere in the region of interest."""
    jitter_voxels: Annotated[int, Field(ge=0)] = 5
    """Largest displacement of a foreground patch's centre from its voxel, along each axis; less in small patches, so
    that the voxel stays inside."""
    augmentation: AugmentationSettings | Literal["none"] = AugmentationSettings()
    map_scope: Literal["case", "patch"] = "case"
    """What target maps are computed on. `case`: the whole prepared volume, cut with the patch. `patch`: every patch
    anew, which knows nothing of the lesions outside."""

    def identity(self) -> dict[str, Any]:
        """The part of a cell's identity that all methods share; `map_scope` is in that of methods with maps."""
        return self.model_dump(mode="json", exclude={"map_scope"})

    @model_validator(mode="after")
    def _fits(self) -> SamplingSettings:
        if self.foreground_patches > self.batch_size:
            raise ValueError(f"foreground_patches {self.foreground_patches} exceeds batch_size {self.batch_size}")
        if len(self.patch_size) not in (2, 3):
            raise ValueError(f"patch_size has {len(self.patch_size)} extents, expected 2 or 3")
        return self


class PatchSource(Protocol):
    """What the sampler needs of a prepared case."""

    @property
    def id(self) -> str: ...
    @property
    def image(self) -> npt.NDArray[np.floating[Any]]: ...
    @property
    def labels(self) -> npt.NDArray[np.int8]: ...
    @property
    def roi(self) -> npt.NDArray[np.bool_] | None: ...
    @property
    def spacing_mm(self) -> tuple[float, ...]: ...
    @property
    def foreground(self) -> Sequence[npt.NDArray[np.int64]]:
        """Flat voxel indices of each target class."""
        ...


@dataclass(frozen=True)
class Patch:
    """One patch of a batch: where it is cut (its first voxel may lie outside the volume) and how it is changed."""

    case: int
    start: tuple[int, ...]
    augmentation: PatchAugmentation


class PatchSampler:
    """Plans the batches of one seed over the training cases.

    Args:
        cases: the training cases; order matters, so pass them sorted by id.
        settings: patch size, batch size, share of foreground patches, augmentation.
        seed: any integer; folded into a 64-bit key together with the sampler's version.

    Raises:
        ValueError: no case, or a case whose dimensions differ from the patch's.
    """

    def __init__(self, cases: Sequence[PatchSource], settings: SamplingSettings, seed: int) -> None:
        if not cases:
            raise ValueError("the training set has no case")
        for case in cases:
            if case.labels.ndim != len(settings.patch_size):
                raise ValueError(
                    f"case {case.id} has {case.labels.ndim} dimensions, patch_size {list(settings.patch_size)} "
                    f"has {len(settings.patch_size)}: give one extent per dimension"
                )
        self.cases = cases
        self.settings = settings
        self.seed = seed
        self._key = _key(seed)
        self._cases_with = _cases_by_class(cases)

    def plan(self, step: int) -> tuple[Patch, ...]:
        """The patches of one step; the first `foreground_patches` of them are centred on target voxels.

        When no training case has a target voxel, all patches are drawn from anywhere.
        """
        # A list would become float64, and lose digits, where the key does not fit into int64.
        random = np.random.Generator(np.random.Philox(key=np.array([self._key, step], np.uint64)))
        return tuple(self._patch(random, position) for position in range(self.settings.batch_size))

    def digest(self, plan: Sequence[Patch], previous: str) -> str:
        """SHA-256 of a step's plan chained to the digest of the steps before it ("" before the first)."""
        content = [(self.cases[patch.case].id, patch.start, asdict(patch.augmentation)) for patch in plan]
        return hashlib.sha256((previous + json.dumps(content)).encode()).hexdigest()

    def _patch(self, random: np.random.Generator, position: int) -> Patch:
        if position < self.settings.foreground_patches and self._cases_with:
            index, centre = self._foreground_centre(random)
        else:
            index = int(random.integers(len(self.cases)))
            centre = _any_centre(random, self.cases[index])
        case, size = self.cases[index], self.settings.patch_size
        start = tuple(_start(c, p, n) for c, p, n in zip(centre, size, case.labels.shape, strict=True))
        return Patch(index, start, draw_augmentation(random, self.settings.augmentation, size, case.spacing_mm))

    def _foreground_centre(self, random: np.random.Generator) -> tuple[int, tuple[int, ...]]:
        """A case and one of its target voxels, moved by the jitter.

        Drawn in the order class, case, voxel: a class of few voxels, or in few cases, is seen as often as the others.
        """
        target = list(self._cases_with)[random.integers(len(self._cases_with))]
        index = self._cases_with[target][random.integers(len(self._cases_with[target]))]
        case = self.cases[index]
        voxels = case.foreground[target]
        voxel = np.unravel_index(int(voxels[random.integers(len(voxels))]), case.labels.shape)
        reach = np.minimum(self.settings.jitter_voxels, (np.array(self.settings.patch_size) - 1) // 2)
        jitter = random.integers(-reach, reach + 1)
        return index, tuple(int(v + j) for v, j in zip(voxel, jitter, strict=True))


def _cases_by_class(cases: Sequence[PatchSource]) -> dict[int, list[int]]:
    """Which cases have voxels of each target class; classes that no case has are left out."""
    found: dict[int, list[int]] = {}
    for index, case in enumerate(cases):
        for target, voxels in enumerate(case.foreground):
            if len(voxels):
                found.setdefault(target, []).append(index)
    return dict(sorted(found.items()))


def _key(seed: int) -> int:
    """64 bits from any seed, so that negative and very large seeds are as good as small ones."""
    return int.from_bytes(hashlib.sha256(f"patches {SAMPLER_VERSION} {seed}".encode()).digest()[:8], "little")


def _any_centre(random: np.random.Generator, case: PatchSource) -> tuple[int, ...]:
    """A voxel of the region of interest; any voxel when there is no region or it is empty."""
    candidates = random.integers(0, case.labels.shape, (ROI_CANDIDATES, case.labels.ndim))
    chosen = candidates[0]
    if case.roi is not None:
        hits = candidates[case.roi[tuple(candidates.T)]]
        # Looking at every voxel is slow, but only regions below a hundredth of the volume get there often.
        hits = hits if len(hits) else random.permutation(np.argwhere(case.roi))
        chosen = hits[0] if len(hits) else chosen
    return tuple(int(c) for c in chosen)


def _start(centre: int, extent: int, length: int) -> int:
    """First voxel of a patch: inside the volume where the volume is larger, centred on it where it is smaller."""
    if length <= extent:
        return -((extent - length) // 2)
    return int(np.clip(centre - extent // 2, 0, length - extent))
