"""Augmentation: independent switches, nothing that bends space, image and labels and maps always together."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.ndimage import distance_transform_edt

from bench.data.augmentation import (
    AugmentationSettings,
    PatchAugmentation,
    change_intensity,
    draw_augmentation,
    move,
    turnable_planes,
)

SIZE, SPACING = (4, 6, 6), (3.0, 1.0, 1.0)

EVERYTHING = {"flip": True, "turn": True, "intensity_scale": 0.1, "intensity_shift": 0.2, "gamma": 0.3, "noise": 0.4}
NOTHING = {"flip": False, "turn": False, "intensity_scale": 0.0, "intensity_shift": 0.0, "gamma": 0.0, "noise": 0.0}
FIELDS = {
    "flip": {"flipped"},
    "turn": {"plane", "quarter_turns"},
    "intensity_scale": {"scale"},
    "intensity_shift": {"shift"},
    "gamma": {"gamma"},
    "noise": {"noise", "noise_key"},
}


def draw(seed: int, switches: dict[str, float] | str, size=SIZE, spacing=SPACING) -> PatchAugmentation:
    chosen = switches if isinstance(switches, str) else AugmentationSettings(**switches)
    return draw_augmentation(np.random.default_rng(seed), chosen, size, spacing)


def draws(switches: dict[str, float], count: int = 400) -> list[PatchAugmentation]:
    return [draw(seed, switches) for seed in range(count)]


@pytest.mark.parametrize("switch", FIELDS)
@pytest.mark.parametrize("others", [EVERYTHING, NOTHING])
def test_a_switch_changes_its_own_field_and_no_other(switch, others):
    on, off = others | {switch: EVERYTHING[switch]}, others | {switch: NOTHING[switch]}
    changed = set()
    for seed in range(30):
        before, after = vars(draw(seed, off)), vars(draw(seed, on))
        changed |= {name for name in before if before[name] != after[name]}
    assert changed == FIELDS[switch]


def test_none_changes_nothing():
    assert {draw(seed, "none") for seed in range(20)} == {PatchAugmentation()}
    assert {draw(seed, NOTHING) for seed in range(20)} == {PatchAugmentation()}


def test_flips_are_fair_and_independent():
    seen = Counter(one.flipped for one in draws(EVERYTHING, 1600))
    assert len(seen) == 8
    assert min(seen.values()) > 150


def test_quarter_turns_are_fair():
    seen = Counter(one.quarter_turns for one in draws(EVERYTHING, 800))
    assert sorted(seen) == [0, 1, 2, 3]
    assert min(seen.values()) > 150


def test_intensity_changes_stay_within_what_is_declared_and_fill_it():
    drawn = draws(EVERYTHING)
    for name, low, high in [("scale", 0.9, 1.1), ("shift", -0.2, 0.2), ("gamma", 0.7, 1.3), ("noise", 0.0, 0.4)]:
        values = np.array([getattr(one, name) for one in drawn])
        assert low <= values.min() < low + 0.05 * (high - low)
        assert high >= values.max() > high - 0.05 * (high - low)


extents = st.integers(1, 3)
spacings = st.sampled_from([0.5, 1.0, 3.0])


@given(st.lists(st.tuples(extents, spacings), min_size=2, max_size=3), st.integers(0, 2**32))
def test_turns_happen_only_in_planes_of_equal_extent_and_spacing(axes, seed):
    size, spacing = tuple(n for n, _ in axes), tuple(s for _, s in axes)
    drawn = draw(seed, EVERYTHING, size, spacing)
    if drawn.quarter_turns:
        first, second = drawn.plane
        assert first != second
        assert axes[first] == axes[second]
    if len(set(axes)) == len(axes):
        assert drawn.quarter_turns == 0


def test_all_planes_of_a_cube_are_turned():
    planes = {draw(seed, EVERYTHING, (5, 5, 5), (1.0, 1.0, 1.0)).plane for seed in range(50)}
    assert planes == {(0, 1), (0, 2), (1, 2)}
    assert turnable_planes((5, 5, 5), (1.0, 1.0, 1.0 + 1e-9)) == [(0, 1), (0, 2), (1, 2)]
    assert turnable_planes((5, 5, 5), (1.0, 1.0, 1.01)) == [(0, 1)]
    assert turnable_planes((5, 5, 4), (1.0, 1.0, 1.0)) == [(0, 1)]


@given(st.integers(0, 2**32), st.sampled_from([(SIZE, SPACING), ((5, 5, 5), (1.0, 1.0, 1.0)), ((6, 6), (0.7, 0.7))]))
def test_image_labels_and_maps_move_together(seed, grid):
    """The image encodes the labels and every voxel's place, so that one voxel out of step would show."""
    size, spacing = grid
    place = np.arange(np.prod(size)).reshape(size)
    labels = (place * 7 % 3).astype(np.int8)
    image = np.stack([place, labels]).astype(np.float32)
    drawn = draw(seed, EVERYTHING, size, spacing)
    moved_image, moved_labels = (move(array, drawn, len(size)) for array in (image, labels))
    assert moved_image.shape == image.shape
    assert np.array_equal(moved_image[1], moved_labels)
    assert np.array_equal(moved_image[0].astype(int) * 7 % 3, moved_labels)
    assert np.array_equal(np.sort(moved_image[0], axis=None), place.ravel())


@given(st.integers(0, 2**32))
def test_a_moved_distance_map_is_the_distance_map_of_the_moved_mask(seed):
    mask = np.random.default_rng(seed).random(SIZE) < 0.6
    mask[0, 0, 0] = False
    drawn = draw(seed, EVERYTHING)
    moved = move(distance_transform_edt(mask, sampling=SPACING), drawn, 3)
    assert np.allclose(moved, distance_transform_edt(move(mask, drawn, 3), sampling=SPACING), rtol=0, atol=1e-12)


IMAGE = np.random.default_rng(0).normal(size=(2, 3, 5, 5)).astype(np.float32)


def test_an_image_without_a_change_keeps_its_values():
    assert np.array_equal(change_intensity(IMAGE, PatchAugmentation(flipped=(1,), quarter_turns=2)), IMAGE)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scale": 1.2}, IMAGE * 1.2),
        ({"shift": -0.3}, IMAGE - 0.3),
        ({"gamma": 0.5}, np.sign(IMAGE) * np.sqrt(np.abs(IMAGE))),
        ({"gamma": 2.0, "scale": 0.5, "shift": 0.1}, np.sign(IMAGE) * IMAGE**2 * 0.5 + 0.1),
    ],
)
def test_intensities_follow_their_formula_and_the_given_image_stays(changes, expected):
    before = IMAGE.copy()
    changed = change_intensity(IMAGE, PatchAugmentation(**changes))
    assert changed.dtype == np.float32
    np.testing.assert_allclose(changed, expected, rtol=1e-5, atol=1e-6)
    assert np.array_equal(IMAGE, before)


def test_noise_follows_from_its_key_and_has_the_declared_size():
    image = np.zeros((1, 40, 40, 40), np.float32)
    one, again, other = (
        change_intensity(image, PatchAugmentation(noise=0.2, noise_key=key)) for key in (2**61, 2**61, 2**61 + 1)
    )
    assert one.dtype == np.float32
    assert np.array_equal(one, again)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.02
    assert one.std() == pytest.approx(0.2, rel=0.02)
    assert abs(one.mean()) < 0.005


def test_the_protocol_names_what_is_on():
    assert AugmentationSettings().protocol() == "flip, turn"
    assert AugmentationSettings(turn=False, noise=0.05).protocol() == "flip, noise 0.05"
    assert AugmentationSettings(**NOTHING).protocol() == "none"


@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan"), True])
def test_a_spread_outside_zero_to_one_is_refused(value):
    """From 1 on a gamma could be 0 and a scale could turn the image over."""
    with pytest.raises(ValidationError):
        AugmentationSettings(gamma=value)
