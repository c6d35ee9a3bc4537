"""The definitions of the maps, written out in float64 over all pairs of voxels, without any distance transform."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from losses.target_maps import compute


@dataclass
class Definition:
    """One small mask by definition: `number` of each voxel's lesion, `depth`, `to_lesion` (K, *S)."""

    mask: np.ndarray
    spacing: tuple[float, ...]

    def __post_init__(self):
        self.foreground = self.mask > 0
        self.number = self._components()
        self.count = int(self.number.max())
        self.depth = np.where(self.foreground, self._distance_to(~self.foreground), 0.0)
        lesions = range(1, self.count + 1)
        self.to_lesion = np.array([self._distance_to(self.number == k) for k in lesions])
        self.deepest, self.rim = (
            self._of_lesion([choose(self.depth[self.number == k]) for k in lesions]) for choose in (np.max, np.min)
        )

    def _components(self):
        number = np.zeros(self.mask.shape, int)
        for seed in zip(*np.nonzero(self.foreground), strict=True):
            if number[seed]:
                continue
            new = number.max() + 1
            waiting, number[seed] = [seed], new
            while waiting:
                here = np.array(waiting.pop())
                for step in product((-1, 0, 1), repeat=self.mask.ndim):
                    there = tuple(here + step)
                    inside = all(0 <= at < size for at, size in zip(there, self.mask.shape, strict=True))
                    if inside and self.foreground[there] and not number[there]:
                        number[there] = new
                        waiting.append(there)
        return number

    def _distance_to(self, target):
        """Of every voxel to the nearest of `target`; beyond the array there is background if there is none inside."""
        places = np.argwhere(target)
        if not len(places):
            around = np.pad(np.zeros(self.mask.shape, bool), 1, constant_values=True)
            places = np.argwhere(around) - 1
        apart = (np.argwhere(np.ones(self.mask.shape, bool))[:, None] - places[None]) * np.array(self.spacing)
        return np.sqrt(np.square(apart).sum(-1)).min(1).reshape(self.mask.shape)

    def _of_lesion(self, values):
        return np.array([1.0, *values])[self.number]

    @property
    def outside(self):
        return self.to_lesion.min(0)


@pytest.fixture(scope="session")
def define():
    """`define(mask, spacing=None)`: the mask by definition."""
    return lambda mask, spacing=None: Definition(mask, spacing or (1.0,) * mask.ndim)


def _random_mask(drawn):
    shape, share, seed, ignore = drawn
    random = np.random.default_rng(seed)
    mask = (random.random(shape) < share).astype(np.int8)
    if ignore:
        mask[random.random(shape) < 0.15] = -1
    return mask


_SHAPES = st.one_of(
    st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)), st.tuples(st.integers(1, 9), st.integers(1, 9))
)
_MASKS = st.tuples(
    _SHAPES, st.sampled_from([0.0, 0.1, 0.3, 0.6, 0.9, 1.0]), st.integers(0, 2**32 - 1), st.booleans()
).map(_random_mask)
_SPACINGS = st.sampled_from([None, (0.7, 0.7, 0.7), (5.0, 0.7, 0.7), (2.5, 0.8, 1.3)])


@pytest.fixture(scope="session")
def for_all_masks():
    """`for_all_masks(check)` calls `check(mask, spacing)` on small masks: 2D and 3D, from empty to full, with and
    without ignored voxels, in voxels and with spacings from isotropic to thick slices."""

    def run(check):
        @settings(max_examples=80, deadline=None)
        @given(mask=_MASKS, spacing=_SPACINGS)
        def each(mask, spacing):
            check(mask, None if spacing is None else spacing[: mask.ndim])

        each()

    return run


@pytest.fixture(scope="session")
def equals(for_all_masks, define):
    """`equals(kind, formula)`: the map is `formula(definition)` within 1e-6, 0 at ignored voxels."""

    def run(kind, formula):
        def check(mask, spacing):
            expected = np.where(mask < 0, 0, formula(define(mask, spacing)))
            np.testing.assert_allclose(compute(kind, mask, spacing), expected, rtol=1e-6, atol=1e-6)

        for_all_masks(check)

    return run
