"""Batches: cut where planned, padded with what no loss looks at, the same from the background thread."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.data.augmentation import AugmentationSettings, PatchAugmentation, change_intensity
from bench.data.batches import assemble, prefetched
from bench.data.sampler import Patch, PatchSampler, SamplingSettings

PLAIN = PatchAugmentation()


def source(shape, *, channels=1, seed=0, name="a"):
    """A case whose first channel is its labels and whose arrays cannot be written to, like mapped files."""
    random = np.random.default_rng(seed)
    labels = random.integers(-1, 3, shape, dtype=np.int8)
    image = random.normal(size=(channels, *shape)).astype(np.float32)
    image[0] = labels
    for array in (image, labels):
        array.flags.writeable = False
    foreground = [np.flatnonzero(labels == index) for index in (1, 2)]
    spacing = (1.0,) * len(shape)
    return SimpleNamespace(id=name, image=image, labels=labels, roi=None, spacing_mm=spacing, foreground=foreground)


def sampler_of(*cases, size=(6, 8, 8), **changes):
    return PatchSampler(cases, SamplingSettings(patch_size=size, **changes), seed=3)


def same(one, other):
    return torch.equal(one.image, other.image) and torch.equal(one.labels, other.labels)


def test_a_batch_has_the_shapes_and_types_of_the_contract():
    sampler = sampler_of(source((9, 12, 12), channels=2), batch_size=3)
    batch = assemble(sampler, sampler.plan(0))
    assert batch.image.shape == (3, 2, 6, 8, 8)
    assert batch.image.dtype == torch.float32
    assert batch.labels.shape == (3, 6, 8, 8)
    assert batch.labels.dtype == torch.int64
    assert batch.maps == {}


def test_two_dimensional_cases_work_the_same_way():
    sampler = sampler_of(source((30, 40)), size=(16, 16))
    batch = assemble(sampler, sampler.plan(0))
    assert batch.image.shape == (2, 1, 16, 16)
    assert torch.equal(batch.image[:, 0], batch.labels.float())


@given(st.integers(0, 10**6))
def test_image_and_labels_never_part(step):
    sampler = sampler_of(source((12, 12, 12)), source((9, 20, 7), name="b"), size=(8, 8, 8), batch_size=2)
    batch = assemble(sampler, sampler.plan(step))
    inside = batch.labels != -1
    assert torch.equal(batch.image[:, 0][inside], batch.labels[inside].float())


def test_a_volume_smaller_than_the_patch_is_padded_on_both_sides_and_ignored_there():
    case = source((3, 4, 9))
    sampler = sampler_of(case, size=(6, 8, 8), augmentation="none")
    patch = sampler.plan(0)[0]
    batch = assemble(sampler, (patch,))
    first = patch.start[2]
    expected = np.pad(case.labels[:, :, first : first + 8], [(1, 2), (2, 2), (0, 0)], constant_values=-1)
    assert np.array_equal(batch.labels[0], expected)
    outside = np.pad(np.zeros((3, 4, 8), bool), [(1, 2), (2, 2), (0, 0)], constant_values=True)
    assert (batch.labels[0][outside] == -1).all()
    assert (batch.image[0, 0][outside] == 0).all()


def test_intensity_changes_reach_the_image_only():
    sampler = sampler_of(source((9, 12, 12), channels=2))
    changed = PatchAugmentation(flipped=(0, 2), plane=(1, 2), quarter_turns=3, scale=1.5, shift=0.2, noise=0.1)
    space = PatchAugmentation(flipped=(0, 2), plane=(1, 2), quarter_turns=3)
    one = assemble(sampler, (Patch(0, (1, 2, 3), changed),))
    other = assemble(sampler, (Patch(0, (1, 2, 3), space),))
    assert torch.equal(one.labels, other.labels)
    assert np.array_equal(one.image[0], change_intensity(other.image[0].numpy(), changed))


@given(st.integers(0, 10**6))
def test_images_stored_as_float16_give_the_same_patches_as_float32(step):
    case = source((12, 12, 12), channels=2)
    half = SimpleNamespace(**{**vars(case), "image": case.image.astype(np.float16)})
    same_values = SimpleNamespace(**{**vars(case), "image": half.image.astype(np.float32)})
    noisy = AugmentationSettings(noise=0.3, gamma=0.2)
    one, other = (sampler_of(c, size=(8, 16, 8), augmentation=noisy) for c in (half, same_values))
    found, expected = (assemble(sampler, sampler.plan(step)) for sampler in (one, other))
    assert found.image.dtype == torch.float32
    assert same(found, expected)


def test_prefetched_batches_are_those_assembled_directly():
    noisy = AugmentationSettings(noise=0.3, gamma=0.2, intensity_scale=0.1)
    sampler = sampler_of(source((9, 12, 12)), source((14, 20, 10), name="b"), augmentation=noisy)
    batches = list(prefetched(sampler, 5, 12))
    assert [planned.plan for planned in batches] == [sampler.plan(step) for step in range(5, 12)]
    assert all(same(planned.batch, assemble(sampler, planned.plan)) for planned in batches)


def test_nothing_left_to_do_gives_nothing():
    assert list(prefetched(sampler_of(source((9, 9, 9))), 7, 7)) == []


class Watched(PatchSampler):
    """Says when a step is being planned, and fails at the steps it is told to."""

    def __init__(self, *arguments, fail_at=()):
        super().__init__(*arguments)
        self.planned = {step: threading.Event() for step in range(10)}
        self.fail_at = fail_at

    def plan(self, step):
        self.planned[step].set()
        if step in self.fail_at:
            raise OSError(f"case b: the file of step {step} is gone")
        return super().plan(step)


def watched(**options):
    return Watched([source((9, 12, 12))], SamplingSettings(patch_size=(6, 8, 8)), 0, **options)


def prefetch_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_the_next_batch_is_made_while_the_current_one_is_used():
    sampler = watched()
    batches = prefetched(sampler, 0, 10)
    next(batches)
    assert sampler.planned[1].wait(20)
    assert not sampler.planned[2].is_set()
    batches.close()


def test_an_error_in_the_background_reaches_the_loop_at_its_step():
    batches = prefetched(watched(fail_at=[2]), 0, 10)
    next(batches)
    next(batches)
    with pytest.raises(OSError, match="case b: the file of step 2 is gone"):
        next(batches)
    assert not prefetch_threads()


def test_the_thread_ends_with_a_loop_that_stops_early():
    for planned in prefetched(watched(), 0, 10):
        assert planned.plan
        assert prefetch_threads()
        break
    assert not prefetch_threads()


def test_the_thread_ends_with_a_loop_that_fails():
    def fail():
        for _ in prefetched(watched(), 0, 10):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not prefetch_threads()
