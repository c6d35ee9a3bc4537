"""Components from runs are those of a flood fill, in the order of their first voxels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from bench.evaluation import components as module
from bench.evaluation.components import Components, runs


def flooded(mask):
    """Sizes by scipy, which numbers components in the order of their first voxels too."""
    return np.bincount(ndimage.label(mask, np.ones((3,) * mask.ndim))[0].ravel())[1:]


shapes = st.one_of(arrays.array_shapes(min_dims=2, max_dims=3, max_side=9))


@given(mask=arrays.arrays(bool, shapes), share=st.integers(0, 4), seed=st.integers(0, 100))
@settings(max_examples=150, deadline=None)
def test_any_mask_has_the_components_of_a_flood_fill(mask, share, seed):
    sparse = mask & (np.random.default_rng(seed).integers(0, 5, mask.shape) >= share)
    assert list(Components(np.pad(sparse, 1)).sizes) == list(flooded(sparse))


@given(masks=st.tuples(*[arrays.arrays(bool, (4, 5, 6))] * 2))
@settings(max_examples=80, deadline=None)
def test_voxels_of_another_mask_are_counted_in_the_component_that_they_lie_in(masks):
    mask, other = (np.pad(one, 1) for one in masks)
    numbers, count = ndimage.label(mask, np.ones((3, 3, 3)))
    expected = [np.count_nonzero(other & (numbers == number)) for number in range(1, count + 1)]
    assert list(Components(mask).within(mask & other)) == expected


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7])
def test_a_mask_of_many_runs_is_labelled_whole_with_the_same_result(monkeypatch, share):
    mask = np.pad(np.random.default_rng(3).random((12, 20, 20)) < share, 1)
    from_runs = Components(mask)
    monkeypatch.setattr(module, "MANY_RUNS", 0)
    whole = Components(mask)
    assert list(whole.sizes) == list(from_runs.sizes)
    half = mask & (np.indices(mask.shape)[1] > 9)
    assert list(whole.within(half)) == list(from_runs.within(half))


def test_an_empty_mask_has_no_component():
    nothing = Components(np.zeros((4, 4, 4), bool))
    assert nothing.count == 0
    assert list(nothing.sizes) == list(nothing.within(np.zeros((4, 4, 4), bool))) == []


def test_runs_begin_at_their_first_voxel_and_stop_after_their_last():
    starts, stops = runs(np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]], bool))
    assert (list(starts), list(stops)) == ([5, 10], [7, 11])
