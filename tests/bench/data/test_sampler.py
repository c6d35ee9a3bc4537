"""Patches: a pure function of (seed, step), inside the volume, on the target where they promise to be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.data import sampler as module
from bench.data.augmentation import AugmentationSettings, PatchAugmentation
from bench.data.sampler import PatchSampler, SamplingSettings


@dataclass(frozen=True)
class Source:
    """A prepared case in memory, of which the sampler needs no image."""

    id: str
    labels: np.ndarray
    roi: np.ndarray | None = None
    spacing_mm: tuple[float, ...] = (1.0, 1.0, 1.0)
    classes: int = 1

    @property
    def image(self) -> np.ndarray:
        return self.labels[np.newaxis].astype(np.float32)

    @property
    def foreground(self) -> Sequence[np.ndarray]:
        return [np.flatnonzero(self.labels == index) for index in range(1, self.classes + 1)]


def blank(shape: tuple[int, ...], *voxels: tuple[int, ...], name: str = "a", **fields) -> Source:
    """A case whose voxels given are class 1."""
    labels = np.zeros(shape, np.int8)
    for voxel in voxels:
        labels[voxel] = 1
    return Source(name, labels, **fields)


def scattered() -> list[Source]:
    """Three cases of different size with random target voxels and ROI; the last has no target."""
    random = np.random.default_rng(3)
    shapes = [(20, 30, 30), (12, 40, 22), (9, 16, 16)]
    share = [0.01, 0.002, 0.0]
    return [
        Source(f"case-{i}", (random.random(s) < f).astype(np.int8), random.random(s) < 0.3, (3.0, 1.0, 1.0))
        for i, (s, f) in enumerate(zip(shapes, share, strict=True))
    ]


def settings(size: tuple[int, ...] = (8, 16, 16), **changes) -> SamplingSettings:
    return SamplingSettings(patch_size=size, **changes)


def chain(seed: int = 5) -> str:
    """The digest of forty steps over the scattered cases."""
    sampler = PatchSampler(scattered(), settings(batch_size=3), seed)
    digest = ""
    for step in range(40):
        digest = sampler.digest(sampler.plan(step), digest)
    return digest


def test_a_plan_does_not_depend_on_what_was_asked_before():
    one, other = (PatchSampler(scattered(), settings(), 1) for _ in range(2))
    forwards = [one.plan(step) for step in range(12)]
    backwards = [other.plan(step) for step in reversed(range(12))]
    assert forwards == backwards[::-1]
    assert len(set(forwards)) == 12


def test_another_process_with_other_threads_draws_the_same():
    code = f"import runpy; print(runpy.run_path({__file__!r})['chain']())"
    environment = {**os.environ, "OMP_NUM_THREADS": "3", "PYTHONHASHSEED": "11"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == chain()


@given(st.sets(st.integers(-(2**70), 2**70), min_size=2, max_size=4))
def test_different_seeds_draw_different_patches(seeds):
    cases = scattered()
    assert len({PatchSampler(cases, settings(), seed).plan(0) for seed in seeds}) == len(seeds)


def test_seeds_are_never_folded_onto_one_another():
    """Negative ones, and those that differ by a multiple of 2³² or 2⁶⁴, which a bit mask would make equal."""
    seeds = [0, -1, 2**32, 2**32 - 1, 2**63, 2**64, 2**64 - 1, -(2**64), 10**30]
    assert len({chain(seed) for seed in seeds}) == len(seeds)


@pytest.mark.parametrize("key", [0, 2**63, 2**64 - 2])
def test_every_bit_of_the_key_counts(monkeypatch, key):
    monkeypatch.setattr(module, "_key", lambda seed: key + seed)
    assert len({PatchSampler(scattered(), settings(), seed).plan(7) for seed in (0, 1)}) == 2


extents = st.integers(1, 14)


@given(st.data())
def test_foreground_patches_contain_a_target_voxel_and_lie_inside(data):
    """Whatever the jitter, and at every border of the volume."""
    dimensions = data.draw(st.sampled_from([2, 3]))
    shape = data.draw(st.tuples(*[extents] * dimensions))
    size = data.draw(st.tuples(*[extents] * dimensions))
    voxel = tuple(data.draw(st.integers(0, length - 1)) for length in shape)
    case = blank(shape, voxel, spacing_mm=(1.0,) * dimensions)
    drawn = settings(size, batch_size=3, foreground_patches=2, jitter_voxels=data.draw(st.integers(0, 9)))
    plan = PatchSampler([case], drawn, 0).plan(data.draw(st.integers(0, 2**40)))
    for patch in plan[:2]:
        assert all(s <= v < s + p for s, v, p in zip(patch.start, voxel, size, strict=True))
    for patch in plan:
        for start, extent, length in zip(patch.start, size, shape, strict=True):
            if length >= extent:
                assert 0 <= start <= length - extent
            else:
                before, after = -start, start + extent - length
                assert after - before in (0, 1)


def test_without_jitter_the_target_voxel_is_in_the_middle():
    case = blank((30, 30, 30), (14, 11, 17))
    for size in [(8, 8, 8), (7, 9, 11)]:
        (patch,) = PatchSampler([case], settings(size, batch_size=1, jitter_voxels=0), 0).plan(4)
        assert tuple(s + p // 2 for s, p in zip(patch.start, size, strict=True)) == (14, 11, 17)


def test_jitter_reaches_as_far_as_it_says_and_no_further():
    case = blank((40, 40, 40), (20, 20, 20))
    sampler = PatchSampler([case], settings((16, 16, 6), batch_size=1, jitter_voxels=5), 0)
    starts = np.array([sampler.plan(step)[0].start for step in range(300)])
    middles = starts + np.array([8, 8, 3])
    assert middles.min(0).tolist() == [15, 15, 18]
    assert middles.max(0).tolist() == [25, 25, 22]


def test_a_class_of_one_voxel_is_seen_as_often_as_one_of_thousands():
    labels = np.ones((20, 20, 20), np.int8)
    labels[3, 3, 3] = 2
    sampler = PatchSampler([Source("a", labels, classes=2)], settings((1, 1, 1), batch_size=1), 0)
    seen = Counter(sampler.plan(step)[0].start == (3, 3, 3) for step in range(400))
    assert 150 < seen[True] < 250


def test_a_class_in_one_of_many_cases_is_seen_as_often_as_the_others():
    common = np.zeros((6, 6, 6), np.int8)
    common[0, 0, 0] = 1
    rare = np.zeros((6, 6, 6), np.int8)
    rare[5, 5, 5] = 3
    cases = [Source(f"{i}", common, classes=3) for i in range(9)] + [Source("rare", rare, classes=3)]
    sampler = PatchSampler(cases, settings((1, 1, 1), batch_size=1), 0)
    seen = Counter(sampler.plan(step)[0].case == 9 for step in range(400))
    assert 150 < seen[True] < 250


def test_random_patches_are_centred_in_the_region_of_interest_and_all_over_it():
    roi = np.zeros((10, 10, 10), bool)
    roi[2:5, 6:8, 1:3] = True
    sampler = PatchSampler([blank((10, 10, 10), roi=roi)], settings((1, 1, 1)), 0)
    centres = {patch.start for step in range(200) for patch in sampler.plan(step)}
    assert centres == {tuple(voxel) for voxel in np.argwhere(roi).tolist()}


def test_a_region_of_two_voxels_in_a_large_volume_is_found():
    roi = np.zeros((60, 60, 60), bool)
    roi[7, 50, 31] = roi[59, 0, 0] = True
    sampler = PatchSampler([blank((60, 60, 60), roi=roi)], settings((1, 1, 1)), 0)
    seen = Counter(patch.start for step in range(50) for patch in sampler.plan(step))
    assert set(seen) == {(7, 50, 31), (59, 0, 0)}
    assert min(seen.values()) > 30


@pytest.mark.parametrize("roi", [None, np.zeros((4, 4, 4), bool)])
def test_without_a_region_random_patches_lie_anywhere(roi):
    sampler = PatchSampler([blank((4, 4, 4), roi=roi)], settings((1, 1, 1), foreground_patches=0), 0)
    assert len({patch.start for step in range(400) for patch in sampler.plan(step)}) == 64


def test_no_target_anywhere_is_no_obstacle():
    cases = [blank((9, 9, 9), name="a"), blank((9, 9, 9), name="b")]
    plans = [PatchSampler(cases, settings((4, 4, 4), foreground_patches=2), 0).plan(step) for step in range(20)]
    assert {patch.case for plan in plans for patch in plan} == {0, 1}


def test_cases_without_target_stay_in():
    sampler = PatchSampler(scattered(), settings(), 0)
    seen = [{patch.case for patch in plan} for plan in zip(*(sampler.plan(step) for step in range(40)), strict=True)]
    assert seen == [{0, 1}, {0, 1, 2}]


def test_the_digest_changes_with_everything_that_is_planned():
    sampler = PatchSampler(scattered(), settings(), 0)
    first, second = sampler.plan(0)
    changed = PatchAugmentation(
        flipped=(2,), plane=(1, 2), quarter_turns=1, scale=1.1, shift=0.1, gamma=0.9, noise=0.1, noise_key=5
    )
    neutral = replace(first, augmentation=PatchAugmentation())
    plans = [
        (first, second),
        (second, first),
        (first,),
        (replace(first, case=2), second),
        (replace(first, start=(first.start[0] + 1, *first.start[1:])), second),
        (neutral, second),
    ]
    for name, value in vars(changed).items():
        plans.append((replace(neutral, augmentation=replace(PatchAugmentation(), **{name: value})), second))
    digests = [sampler.digest(plan, "") for plan in plans] + [sampler.digest((first, second), "before")]
    assert len(set(digests)) == len(plans) + 1


def test_the_digest_is_that_of_the_cases_and_not_of_their_positions():
    cases = scattered()
    renamed = [replace(case, id=f"other-{case.id}") for case in cases]
    one, other = PatchSampler(cases, settings(), 0), PatchSampler(renamed, settings(), 0)
    assert one.plan(0) == other.plan(0)
    assert one.digest(one.plan(0), "") != other.digest(other.plan(0), "")


@pytest.mark.parametrize("augmentation", ["none", AugmentationSettings(noise=0.5, gamma=0.2)])
def test_augmentation_moves_no_patch(augmentation):
    usual = PatchSampler(scattered(), settings(batch_size=4), 0)
    changed = PatchSampler(scattered(), settings(batch_size=4, augmentation=augmentation), 0)
    for step in range(20):
        places = [[(p.case, p.start) for p in sampler.plan(step)] for sampler in (usual, changed)]
        assert places[0] == places[1]


def test_no_case_and_cases_of_other_dimensions_are_refused():
    with pytest.raises(ValueError, match="the training set has no case"):
        PatchSampler([], settings(), 0)
    with pytest.raises(ValueError, match=r"case a has 2 dimensions, patch_size \[8, 16, 16\] has 3"):
        PatchSampler([blank((9, 9))], settings(), 0)


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        ({"patch_size": (8, 8, 8), "batch_size": 2, "foreground_patches": 3}, "3 exceeds batch_size 2"),
        ({"patch_size": (8,)}, "patch_size has 1 extents, expected 2 or 3"),
        ({"patch_size": (8, 8, 8, 8)}, "patch_size has 4 extents"),
        ({"patch_size": (8, 0, 8)}, "greater than 0"),
        ({"patch_size": (8, 8, 8), "jitter_voxels": -1}, "greater than or equal to 0"),
        ({"patch_size": (8, 8, 8), "augmentation": "nothing"}, "none"),
    ],
)
def test_settings_that_cannot_be_are_refused(given_settings, message):
    with pytest.raises(ValidationError, match=message):
        SamplingSettings(**given_settings)
