"""Maps of a case: one channel per foreground class, ignored voxels 0, nothing computed that nobody needs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.maps import coordinates, maps_for
from bench.errors import DataError
from losses import LossError, target_maps
from losses.target_maps import compute


def case(shape=(7, 8, 9), seed=0):
    random = np.random.default_rng(seed)
    return random.choice(np.array([-1, 0, 0, 0, 0, 1, 2], np.int8), shape)


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from(target_maps.available()),
    seed=st.integers(0, 99),
    shape=st.sampled_from([(4, 5, 6), (7, 8)]),
    in_mm=st.booleans(),
)
def test_each_class_has_the_map_of_its_own_mask(kind, seed, shape, in_mm):
    labels = case(shape, seed)
    spacing = (5.0, 0.7, 0.8)[: len(shape)]
    name = f"{kind}_mm" if in_mm else kind
    found = maps_for([name], labels, classes=3, spacing_mm=spacing)[name]
    assert found.shape == (2, *shape)
    assert found.dtype == target_maps.describe(kind).dtype
    for index in (1, 2):
        alone = np.where(labels == -1, -1, labels == index)
        np.testing.assert_array_equal(found[index - 1], compute(kind, alone, spacing if in_mm else None))
    assert (found[:, labels == -1] == 0).all()


def test_a_map_in_mm_needs_a_spacing():
    with pytest.raises(DataError, match="'signed_distance_mm' is in mm, and no spacing is known here"):
        maps_for(["signed_distance_mm"], case(), classes=3)


def test_every_name_is_computed_once_and_the_step_is_left_to_the_training():
    found = maps_for(["norm_inverse", "step", "lesion_id", "norm_inverse"], case(), classes=3)
    assert list(found) == ["norm_inverse", "lesion_id"]


def test_nothing_required_costs_nothing():
    assert maps_for([], case(), classes=3) == {}


def test_coordinates_need_no_class_and_no_distance():
    found = maps_for(["coordinates"], case((2, 5)), classes=3)["coordinates"]
    assert found.dtype == np.float32
    assert found[0].tolist() == [[-1] * 5, [1] * 5]
    assert found[1].tolist() == [[-1, -0.5, 0, 0.5, 1]] * 2


def test_an_axis_of_one_voxel_has_the_coordinate_zero():
    assert coordinates((1, 3)).tolist() == [[[0, 0, 0]], [[-1, 0, 1]]]


def test_a_class_that_is_absent_has_the_map_of_an_empty_mask():
    labels = np.zeros((4, 4), np.int8)
    labels[1, 1] = 1
    found = maps_for(["signed_norm_inverse", "norm_inverse"], labels, classes=3)
    assert (found["signed_norm_inverse"][1] == -1).all()
    assert not found["norm_inverse"][1].any()


def test_a_patch_knows_nothing_of_lesions_outside():
    labels = np.zeros((5, 30), np.int8)
    labels[1:4, 2:5] = labels[1:4, 20:23] = 1
    whole = maps_for(["lesion_id"], labels, classes=2)["lesion_id"]
    patch = maps_for(["lesion_id"], labels[:, 15:], classes=2)["lesion_id"]
    assert (whole.max(), patch.max()) == (2, 1)


def test_labels_outside_the_classes_are_refused():
    with pytest.raises(DataError, match=r"labels must lie in 0\.\.1 \(−1 = ignored\), found -1\.\.2"):
        maps_for(["norm_inverse"], case(), classes=2)
    with pytest.raises(DataError, match="one class or more, got classes = 1"):
        maps_for([], np.zeros((2, 2), np.int8), classes=1)


def test_an_unknown_map_is_refused_with_the_nearest_name():
    with pytest.raises(LossError, match="Did you mean 'norm_inverse'"):
        maps_for(["norm_inverted"], case(), classes=3)
