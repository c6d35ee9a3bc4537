"""Every target map that can be chosen by name keeps the contract, those of other distributions included."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy import ndimage

from losses import target_maps

KINDS = target_maps.available()


def _masks():
    random = np.random.default_rng(0)
    for shape in ((9, 10, 11), (17, 13)):
        some = (ndimage.gaussian_filter(random.random(shape), 1) > 0.53).astype(np.int8)
        assert ndimage.label(some)[1] > 1
        one, ignored = np.zeros_like(some), some.copy()
        one[tuple(size // 2 for size in shape)] = 1
        ignored[random.random(shape) < 0.1] = -1
        at_border = np.zeros_like(some)
        at_border[:3, -4:] = at_border[-1:, :2] = 1
        masks = {
            "some lesions": some,
            "one voxel": one,
            "ignored voxels": ignored,
            "lesions at the border": at_border,
            "empty": np.zeros_like(some),
            "full": np.ones_like(some),
            "full but one ignored voxel": np.where(one == 1, np.int8(-1), np.int8(1)),
            "all ignored": np.full_like(some, -1),
        }
        yield from ((f"{title}, {len(shape)}D", mask) for title, mask in masks.items())


CASES = dict(_masks())
UNITS = {"voxels": None, "mm": (5.0, 0.7, 0.6)}


@pytest.fixture(params=list(CASES))
def mask(request):
    return CASES[request.param]


@pytest.fixture(params=list(UNITS))
def spacing(request, mask):
    values = UNITS[request.param]
    return None if values is None else values[: mask.ndim]


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_finite_of_the_declared_type_and_range_and_0_where_ignored(kind, mask, spacing):
    known = target_maps.describe(kind)
    values = target_maps.compute(kind, mask, spacing)
    assert values.shape == mask.shape
    assert values.dtype == known.dtype
    assert np.isfinite(values).all()
    assert (values[mask == -1] == 0).all()
    assert values.min() >= known.value_range[0]
    assert values.max() <= known.value_range[1]


@pytest.mark.parametrize("kind", KINDS)
def test_the_stored_type_loses_no_more_than_a_rounding(kind, mask):
    known = target_maps.describe(kind)
    values = target_maps.compute(kind, mask)
    if known.stored_dtype != known.dtype:
        assert (known.stored_dtype, known.dtype) == ("float16", "float32")
        assert abs(np.array(known.value_range)).max() <= 1
        np.testing.assert_allclose(values.astype(np.float16), values, atol=2.0**-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_regressor_head_reaches_the_whole_range(kind):
    known = target_maps.describe(kind)
    reach = {"linear": (-np.inf, np.inf), "relu": (0, np.inf), "sigmoid": (0, 1), "tanh": (-1, 1)}
    for head in known.heads:
        low, high = reach[head]
        assert low <= known.value_range[0]
        assert known.value_range[1] <= high
    assert not (known.numbers and known.heads)


@pytest.mark.parametrize("kind", KINDS)
def test_flips_turns_and_transposes_commute_with_the_map(kind, mask):
    values = target_maps.compute(kind, mask)
    for turned, expected in _rotations(mask, values):
        found = target_maps.compute(kind, turned)
        if target_maps.describe(kind).numbers:
            found, expected = _renumbered(turned, found, expected)
        np.testing.assert_array_equal(found, expected)


def _rotations(mask, values):
    for axis in range(mask.ndim):
        yield np.flip(mask, axis), np.flip(values, axis)
    for axes in permutations(range(mask.ndim)):
        yield mask.transpose(axes), values.transpose(axes)
    yield np.rot90(mask), np.rot90(values)


def _renumbered(mask, found, expected):
    """Numbers follow the order of voxels, so they are compared as a partition; ties outside lesions are left out."""
    inside = mask > 0
    pairs = {(a, b) for a, b in zip(found[inside].tolist(), expected[inside].tolist(), strict=True)}
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
    names = dict(pairs) | {0: 0}
    tied = ~inside & (np.vectorize(names.get, otypes=[int])(found) != expected)
    distances = [ndimage.distance_transform_edt(target_maps.compute("lesion_id", mask) != k) for k in np.unique(found)]
    by_number = dict(zip(np.unique(found).tolist(), distances, strict=True))
    numbers = {b: a for a, b in names.items()}
    for place in zip(*np.nonzero(tied), strict=True):
        assert by_number[found[place]][place] == by_number[numbers[expected[place]]][place]
    found = np.where(tied, expected, np.vectorize(names.get, otypes=[int])(found))
    return found, expected


@pytest.mark.parametrize("kind", KINDS)
def test_the_memory_layout_of_the_mask_changes_nothing(kind, mask):
    strided = np.zeros((*mask.shape[:-1], 2 * mask.shape[-1]), mask.dtype)[..., ::2]
    strided[...] = mask
    expected = target_maps.compute(kind, mask)
    np.testing.assert_array_equal(target_maps.compute(kind, strided), expected)
    np.testing.assert_array_equal(target_maps.compute(kind, np.asfortranarray(mask)), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_spacings_only_change_the_unit(kind):
    mask = CASES["some lesions, 3D"]
    voxels, ones = target_maps.compute(kind, mask), target_maps.compute(kind, mask, (1.0, 1.0, 1.0))
    np.testing.assert_array_equal(voxels, ones)


@pytest.mark.parametrize("kind", KINDS)
def test_documentation_has_the_formula_the_shape_the_empty_mask_and_the_source(kind):
    known = target_maps.describe(kind)
    for part in ("φ = ", "(*S)", "empty mask gives", "Source: "):
        assert part in known.documentation.replace("An empty", "an empty"), (
            f"{known.where}: the docstring lacks {part!r}"
        )
