"""A patch is what padding the array and slicing it would give."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.data.cutting import cut, inside

AXES = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(-9, 9)), min_size=1, max_size=3)
"""Extent of the array, extent of the patch and first voxel of it, along each axis."""


@given(AXES, st.integers(0, 1))
def test_cutting_is_padding_and_slicing(axes, leading):
    shape, size, start = ((*axis,) for axis in zip(*axes, strict=True))
    array = np.arange(1, 1 + 2**leading * np.prod(shape), dtype=np.int16).reshape((2,) * leading + shape)
    margin = 20
    padded = np.pad(array, [(0, 0)] * leading + [(margin, margin)] * len(shape), constant_values=-1)
    window = tuple(slice(s + margin, s + margin + p) for s, p in zip(start, size, strict=True))
    patch = cut(array, start, size, -1)
    assert patch.dtype == array.dtype
    assert np.array_equal(patch, padded[(slice(None),) * leading + window])
    patch[...] = 0
    assert array.min() == 1


@given(AXES)
def test_what_lies_inside_is_what_is_not_filled(axes):
    shape, size, start = ((*axis,) for axis in zip(*axes, strict=True))
    array = np.arange(1, 1 + np.prod(shape)).reshape(shape)
    patch = cut(array, start, size, 0)
    assert np.array_equal(array[inside(shape, start, size)].ravel(), patch[patch > 0])
