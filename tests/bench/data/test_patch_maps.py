"""Maps of patches: cut, flipped and turned as the labels are, whatever they were stored as."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.augmentation import PatchAugmentation
from bench.data.batches import assemble, prefetched
from bench.data.maps import coordinates, maps_for
from bench.data.patch_maps import PatchMaps
from bench.data.sampler import Patch, PatchSampler, SamplingSettings
from losses import target_maps

KINDS = tuple(target_maps.available())
NUMBERS = tuple(kind for kind in KINDS if target_maps.describe(kind).numbers)
REAL = tuple(kind for kind in KINDS if kind not in NUMBERS)
SIDE = 10
CLASSES = 3

MOVES = st.builds(
    PatchAugmentation,
    flipped=st.sets(st.integers(0, 2)).map(lambda axes: tuple(sorted(axes))),
    plane=st.sampled_from([(0, 1), (0, 2), (1, 2)]),
    quarter_turns=st.integers(0, 3),
)


def case(seed=0, shape=(SIDE,) * 3):
    """Boxes of two classes, some voxels ignored; arrays cannot be written to."""
    random = np.random.default_rng(seed)
    labels = np.zeros(shape, np.int8)
    for number in (1, 2, 1, 2, 1):
        corner = [int(random.integers(0, n - 2)) for n in shape]
        labels[tuple(slice(c, c + int(random.integers(1, 5))) for c in corner)] = number
    labels[random.random(shape) < 0.02] = -1
    image = labels[None].astype(np.float32)
    for array in (labels, image):
        array.flags.writeable = False
    foreground = [np.flatnonzero(labels == number) for number in (1, 2)]
    return SimpleNamespace(
        id=str(seed), image=image, labels=labels, roi=None, spacing_mm=(1.0,) * len(shape), foreground=foreground
    )


def stored(one, kinds=KINDS):
    """The maps of a whole case, as the cache stores them."""
    found = maps_for(kinds, one.labels, classes=CLASSES)
    return {kind: array.astype(target_maps.describe(kind).stored_dtype) for kind, array in found.items()}


def sampler_of(*cases, size=(SIDE,) * 3, **changes):
    return PatchSampler(cases, SamplingSettings(patch_size=size, **changes), seed=3)


def lesion_of(labels):
    """A case of one class with these labels."""
    image = labels[None].astype(np.float32)
    return SimpleNamespace(id="a", image=image, labels=labels, roi=None, spacing_mm=(1.0,) * 3, foreground=[])


def distances(one):
    """The map `distance` in either scope."""
    whole = {"distance": maps_for(["distance"], one.labels, classes=2)["distance"]}
    return PatchMaps(("distance",), 2, [whole]), PatchMaps(("distance",), 2)


def same_parts(one, other):
    """Whether two arrays number the same parts, by whatever numbers."""
    pairs = set(zip(one.ravel().tolist(), other.ravel().tolist(), strict=True))
    return len(pairs) == len(set(one.ravel().tolist())) == len(set(other.ravel().tolist()))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99), moved=MOVES, scope=st.sampled_from(["case", "patch"]))
def test_maps_of_a_whole_volume_that_is_flipped_and_turned_are_those_of_its_flipped_labels(seed, moved, scope):
    one = case(seed)
    maps = PatchMaps(KINDS, CLASSES, [stored(one)] if scope == "case" else None)
    batch = assemble(sampler_of(one), (Patch(0, (0, 0, 0), moved),), maps)
    expected = maps_for(KINDS, batch.labels[0].numpy().astype(np.int8), classes=CLASSES)
    for kind in REAL:
        np.testing.assert_allclose(batch.maps[kind][0], expected[kind], atol=2**-11, err_msg=kind)
    for found, wanted in zip(batch.maps["lesion_id"][0], expected["lesion_id"], strict=True):
        assert same_parts(found.numpy(), wanted)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99), moved=MOVES, start=st.tuples(*[st.integers(-3, 8)] * 3))
def test_a_stored_map_stays_on_its_voxels(seed, moved, start):
    """Labels put through as if they were a map come out as the labels do, but for the padding."""
    one = case(seed)
    as_map = {"lesion_id": np.stack([one.labels.astype(np.int32) + 70_000])}
    maps = PatchMaps(("lesion_id",), 2, [as_map])
    batch = assemble(sampler_of(one, size=(5, 5, 5)), (Patch(0, start, moved),), maps)
    found = batch.maps["lesion_id"][:, 0]
    inside = found != 0
    assert found.dtype == torch.int32
    assert torch.equal(found[inside] - 70_000, batch.labels[inside].int())
    assert (batch.labels[~inside] == -1).all()


@pytest.mark.parametrize("scope", ["case", "patch"])
def test_maps_have_the_shapes_and_types_of_the_contract(scope):
    cases = [case(seed) for seed in (1, 2)]
    maps = PatchMaps((*KINDS, "coordinates", "step"), CLASSES, [stored(c) for c in cases] if scope == "case" else None)
    sampler = sampler_of(*cases, size=(6, 8, 12), batch_size=3)
    batch = assemble(sampler, sampler.plan(0), maps)
    assert set(batch.maps) == {*KINDS, "coordinates"}
    for kind in KINDS:
        assert batch.maps[kind].shape == (3, CLASSES - 1, 6, 8, 12)
        assert batch.maps[kind].dtype == (torch.int32 if kind in NUMBERS else torch.float32)
        assert not batch.maps[kind].movedim(1, -1)[batch.labels == -1].any(), f"{kind} is not 0 at −1"
    assert batch.maps["coordinates"].shape == (3, 3, 6, 8, 12)


def test_two_dimensional_cases_work_the_same_way():
    one = case(4, (12, 9))
    sampler = sampler_of(one, size=(8, 8))
    batch = assemble(sampler, sampler.plan(0), PatchMaps((*KINDS, "coordinates"), CLASSES, [stored(one)]))
    assert batch.maps["norm_inverse"].shape == (2, CLASSES - 1, 8, 8)
    assert batch.maps["coordinates"].shape == (2, 2, 8, 8)


@given(moved=MOVES, start=st.tuples(*[st.integers(-3, 8)] * 3), scope=st.booleans())
def test_coordinates_are_those_of_the_volume_cut_and_turned_with_the_patch_in_every_scope(moved, start, scope):
    one = case(3)
    maps = PatchMaps(("coordinates",), CLASSES, [{}] if scope else None)
    as_map = PatchMaps(("distance",), CLASSES, [{"distance": coordinates(one.labels.shape)}])
    sampler, plan = sampler_of(one, size=(5, 5, 5)), (Patch(0, start, moved),)
    found, expected = (assemble(sampler, plan, each).maps for each in (maps, as_map))
    assert torch.equal(found["coordinates"], expected["distance"])


def test_a_map_of_the_case_knows_the_background_beyond_the_patch_and_a_map_of_the_patch_does_not():
    labels = np.zeros((12, 12, 12), np.int8)
    labels[2:9, 2:9, 2:9] = 1
    one = lesion_of(labels)
    plan = (Patch(0, (5, 5, 6), PatchAugmentation()),)  # background behind its last plane alone
    by_case, by_patch = (assemble(sampler_of(one, size=(4, 4, 4)), plan, maps).maps for maps in distances(one))
    assert by_case["distance"][0, 0, 3, 0].tolist() == [1, 1, 1, 0]
    assert by_patch["distance"][0, 0, 3, 0].tolist() == [3, 2, 1, 0]


def test_padding_is_no_background_for_a_map_of_the_patch():
    """A lesion at the edge of the volume goes on outside it, in every scope; label −1 around it is no background."""
    labels = np.ones((4, 4, 4), np.int8)
    labels[3] = 0
    one = lesion_of(labels)
    plan = (Patch(0, (-2, -2, -2), PatchAugmentation()),)
    by_case, by_patch = (assemble(sampler_of(one, size=(8, 8, 8)), plan, maps).maps for maps in distances(one))
    assert torch.equal(by_case["distance"], by_patch["distance"])
    assert by_case["distance"].max() == 3


def test_only_required_maps_are_read():
    class Refusing(dict):
        def __missing__(self, key):
            raise AssertionError(f"{key} was read")

    one = case(1)
    sampler = sampler_of(one)
    read = Refusing(norm_inverse=stored(one)["norm_inverse"])
    assert set(assemble(sampler, sampler.plan(0), PatchMaps(("norm_inverse", "step"), CLASSES, [read])).maps) == {
        "norm_inverse"
    }
    assert assemble(sampler, sampler.plan(0), PatchMaps((), CLASSES, [read])).maps == {}


def test_maps_change_neither_patches_nor_their_digest():
    one = case(1)
    sampler = sampler_of(one, size=(6, 6, 6))
    plain, mapped = (list(prefetched(sampler, 0, 4, maps)) for maps in (PatchMaps(), PatchMaps(KINDS, CLASSES, None)))
    for without, having in zip(plain, mapped, strict=True):
        assert torch.equal(without.batch.image, having.batch.image)
        assert torch.equal(without.batch.labels, having.batch.labels)
        assert without.plan == having.plan
        assert not without.batch.maps
        assert set(having.batch.maps) == set(KINDS)
