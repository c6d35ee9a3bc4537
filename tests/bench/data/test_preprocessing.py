from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.dataset import open_dataset
from bench.data.formats.pairs import PairsSettings
from bench.data.preprocessing import prepare, restore
from bench.data.settings import CropSettings, DatasetSettings, PreprocessingSettings
from bench.data.volume import Geometry, Volume
from bench.errors import DataError

LIVER = DatasetSettings(format="toy", target=(2,), roi=(1, 2))
CROP = PreprocessingSettings(roi_from="reference", crop=CropSettings(margin_voxels=1))


def volume(geometry: Geometry, seed: int = 0) -> Volume:
    """A liver off the centre with tumours in it."""
    random = np.random.default_rng(seed)
    labels = np.zeros(geometry.shape, np.int16)
    body = tuple(slice(n // 4, max(n // 4 + 1, n - n // 5)) for n in geometry.shape)
    labels[body] = 1 + (random.random(labels[body].shape) < 0.2)
    return Volume(random.normal(50, 60, (1, *geometry.shape)).astype(np.float32), labels, geometry)


def certain(labels: np.ndarray, classes: int) -> np.ndarray:
    """Probabilities (K + 1, *S) of a network that is right everywhere."""
    return np.stack([labels == index for index in range(classes + 1)]).astype(np.float32)


geometries = st.builds(
    lambda shape, spacing, signs: Geometry(
        tuple(shape),
        tuple(spacing[: len(shape)]),
        (3.0, -4.0, 5.0)[: len(shape)],
        tuple(float(signs[i] if i == j else 0) for i in range(len(shape)) for j in range(len(shape))),
    ),
    st.lists(st.integers(1, 13), min_size=2, max_size=3),
    st.lists(st.floats(0.4, 5), min_size=3, max_size=3),
    st.lists(st.sampled_from([-1, 1]), min_size=3, max_size=3),
)


@settings(deadline=None)
@given(geometries, st.integers(0, 3), st.booleans())
def test_without_resampling_a_perfect_prediction_comes_back_exactly(geometry, margin, mask):
    given_volume = volume(geometry)
    crop = PreprocessingSettings(roi_from="reference", crop=CropSettings(margin_voxels=margin), mask_outside_roi=mask)
    prepared = prepare(given_volume, LIVER, crop)
    assert np.array_equal(restore(certain(prepared.labels, 1), prepared.meta), given_volume.labels == 2)


@settings(deadline=None)
@given(geometries, st.floats(0.3, 6), st.booleans())
def test_resampled_or_not_the_result_has_the_native_shape_and_stays_in_the_box(geometry, spacing, crop):
    preprocessing = PreprocessingSettings(
        spacing_mm=(spacing,) * len(geometry.shape),
        roi_from="reference" if crop else None,
        crop=CropSettings(margin_mm=1.0) if crop else None,
    )
    prepared = prepare(volume(geometry), LIVER, preprocessing)
    assert prepared.image.shape[1:] == prepared.labels.shape == prepared.placement.prepared.shape
    everything = np.zeros((2, *prepared.labels.shape), np.float32)
    everything[1] = 1
    restored = restore(everything, prepared.meta)
    assert restored.shape == geometry.shape
    assert restored.dtype == np.int8
    box = prepared.placement.native_box
    assert restored.sum() == np.prod([b - a for a, b in box])
    assert crop or restored.all()


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 1.0, 1.0), (3.0, 1.5, 1.5)])
@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_the_prepared_image_shows_each_place_of_the_patient_where_its_geometry_says(spacing, interpolation):
    native = Geometry((20, 30, 32), (2.0, 0.8, 0.7), (10.0, -20.0, 30.0), (-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0))

    def positions(geometry: Geometry) -> np.ndarray:
        """x + 2y + 3z of every voxel in the patient, by SimpleITK."""
        image = sitk.Image(geometry.shape[::-1], sitk.sitkUInt8)
        image.SetSpacing(geometry.spacing_mm[::-1])
        image.SetOrigin(geometry.origin)
        image.SetDirection(geometry.direction)
        points = [image.TransformIndexToPhysicalPoint(zyx[::-1]) for zyx in np.ndindex(*geometry.shape)]
        return (np.array(points) @ [1, 2, 3]).reshape(geometry.shape)

    labels = np.zeros(native.shape, np.int16)
    labels[6:14, 8:22, 8:24] = 1
    given_volume = Volume(positions(native)[np.newaxis].astype(np.float32), labels, native)
    settings = PreprocessingSettings(
        spacing_mm=spacing, interpolation=interpolation, roi_from="reference", crop=CropSettings(margin_mm=1.0)
    )
    prepared = prepare(given_volume, LIVER, settings)
    assert prepared.placement.prepared.shape < prepared.placement.grid.shape
    # a cubic spline needs a few voxels to forget the border
    assert np.allclose(prepared.image[0], positions(prepared.placement.prepared), atol=0.05)


def test_a_smooth_prediction_is_interpolated_before_the_largest_is_chosen():
    native = Geometry.plain((1, 1, 40), (1.0, 1.0, 0.5))
    blank = Volume(np.zeros((1, 1, 1, 40), np.float32), np.zeros((1, 1, 40), np.int16), native)
    prepared = prepare(blank, LIVER, PreprocessingSettings(spacing_mm=(1.0, 1.0, 2.0)))
    x = (np.arange(10) + 0.5) * 2  # mm
    foreground = (x / 20).reshape(1, 1, 10).astype(np.float32)
    threshold = 0.37
    probabilities = np.stack([np.full_like(foreground, threshold), foreground])
    restored = restore(probabilities, prepared.meta)
    edge_mm = np.flatnonzero(restored.ravel())[0] * 0.5
    assert abs(edge_mm - threshold * 20) <= 0.5, "finer than the prepared voxel of 2 mm"


def test_ties_go_to_the_lowest_class():
    prepared = prepare(volume(Geometry.plain((3, 3, 3))), LIVER, PreprocessingSettings())
    assert not restore(np.full((3, 3, 3, 3), 0.25, np.float32), prepared.meta).any()


def test_the_crop_is_the_box_of_the_region_with_its_margin():
    labels = np.zeros((20, 20, 20), np.int16)
    labels[5:9, 10:12, 19] = 1
    given_volume = Volume(np.ones((1, 20, 20, 20), np.float32), labels, Geometry.plain((20, 20, 20), (2.0, 1.0, 0.5)))
    box = prepare(given_volume, LIVER, CROP).meta["placement"]["box"]
    assert box == [[4, 10], [9, 13], [18, 20]], "the margin ends at the border"
    millimetres = CROP.model_copy(update={"crop": CropSettings(margin_mm=1.5)})
    assert prepare(given_volume, LIVER, millimetres).meta["placement"]["box"] == [[4, 10], [8, 14], [16, 20]]
    z_only = CROP.model_copy(update={"crop": CropSettings(margin_voxels=10, axes=("z",))})
    assert prepare(given_volume, LIVER, z_only).meta["placement"]["box"] == [[0, 19], [0, 20], [0, 20]]
    y_in_2d = CROP.model_copy(update={"crop": CropSettings(margin_voxels=0, axes=("y",))})
    flat = Volume(given_volume.image[:, 5], labels[5], Geometry.plain((20, 20)))
    assert prepare(flat, LIVER, y_in_2d).meta["placement"]["box"] == [[10, 12], [0, 20]]


def test_voxels_outside_the_region_are_0_only_where_asked():
    given_volume = volume(Geometry.plain((9, 9, 9)))
    settings = PreprocessingSettings(window=(-1000.0, 1000.0), roi_from="reference", mask_outside_roi=True)
    prepared = prepare(given_volume, LIVER, settings)
    assert np.array_equal(prepared.roi, given_volume.labels > 0)
    assert not prepared.image[0][~prepared.roi].any()
    assert prepared.image[0][prepared.roi].all()
    assert prepare(given_volume, LIVER, PreprocessingSettings()).image[0][~prepared.roi].all()


def test_a_case_without_region_keeps_its_whole_volume_with_a_note():
    empty = Volume(np.ones((1, 4, 5, 6), np.float32), np.zeros((4, 5, 6), np.int16), Geometry.plain((4, 5, 6)))
    settings = CROP.model_copy(update={"mask_outside_roi": True})
    prepared = prepare(empty, LIVER, settings)
    assert prepared.image.shape == (1, 4, 5, 6)
    assert prepared.image.all()
    assert prepared.roi is None
    assert prepared.meta["notes"] == ["no voxel of the region of interest: the whole volume is kept"]


def test_a_region_or_lesion_that_resampling_loses_is_noted():
    labels = np.zeros((10, 10, 10), np.int16)
    labels[3, 3, 3] = 2
    tiny = Volume(np.ones((1, 10, 10, 10), np.float32), labels, Geometry.plain((10, 10, 10)))
    settings = PreprocessingSettings(spacing_mm=(5.0,) * 3, roi_from="reference", mask_outside_roi=True)
    prepared = prepare(tiny, LIVER, settings)
    assert prepared.roi is None
    assert prepared.image.all()
    assert prepared.meta["notes"] == [
        "the region of interest is smaller than a prepared voxel and is lost: nothing is masked",
        "no voxel of target is left on the prepared grid",
    ]
    assert prepared.reference.sum() == 1, "metrics still see the lesion"


def test_target_outside_the_region_is_noted():
    labels = np.zeros((9, 9, 9), np.int16)
    labels[2:4, 2:4, 2:4], labels[7, 7, 7] = 1, 2
    given_volume = Volume(np.ones((1, 9, 9, 9), np.float32), labels, Geometry.plain((9, 9, 9)))
    liver_only = DatasetSettings(format="toy", target=(2,), roi=(1,))
    notes = prepare(given_volume, liver_only, CROP).meta["notes"]
    assert notes == [
        "1 of 1 target voxels lie outside the crop and cannot be found",
        "no voxel of target is left on the prepared grid",
    ]


def test_ignored_voxels_stay_ignored_through_resampling():
    labels = np.full((6, 6, 6), 9, np.int16)
    labels[:3] = 2
    given_volume = Volume(np.ones((1, 6, 6, 6), np.float32), labels, Geometry.plain((6, 6, 6)))
    settings = DatasetSettings(format="toy", target=(2,), ignore_label=9)
    prepared = prepare(given_volume, settings, PreprocessingSettings(spacing_mm=(0.5, 1.0, 1.0)))
    assert np.unique(prepared.labels[:6]).tolist() == [1]
    assert np.unique(prepared.labels[6:]).tolist() == [-1]


def test_several_channels_and_classes_go_through():
    geometry = Geometry.plain((6, 7, 8), (2.0, 1.0, 1.0))
    random = np.random.default_rng(0)
    given_volume = Volume(
        random.normal(size=(3, 6, 7, 8)).astype(np.float32), random.integers(0, 4, (6, 7, 8)).astype(np.int16), geometry
    )
    two = DatasetSettings(format="toy", target={"b": (3,), "a": (1,)})
    prepared = prepare(given_volume, two, PreprocessingSettings(normalise="zscore"))
    assert prepared.image.shape == (3, 6, 7, 8)
    assert prepared.meta["classes"] == ["b", "a"]
    assert prepared.meta["unmentioned_labels"] == {"2": int((given_volume.labels == 2).sum())}
    assert np.array_equal(restore(certain(prepared.labels, 2), prepared.meta), prepared.reference)


def test_the_description_is_json_and_restoring_needs_nothing_else():
    prepared = prepare(volume(Geometry.plain((7, 8, 9), (2.0, 1.0, 1.0))), LIVER, CROP)
    meta = json.loads(json.dumps(prepared.meta, allow_nan=False))
    assert np.array_equal(restore(certain(prepared.labels, 1), meta), prepared.reference)


def test_a_volume_without_labels_is_all_ignored_and_cannot_be_cropped_to_them():
    image = np.ones((1, 4, 5, 6), np.float32)
    unlabelled = Volume(image, None, Geometry.plain((4, 5, 6)))
    prepared = prepare(unlabelled, LIVER, PreprocessingSettings(spacing_mm=(2.0, 1.0, 1.0)))
    assert prepared.reference is None
    assert np.unique(prepared.labels).tolist() == [-1]
    with pytest.raises(DataError, match="roi_from: reference"):
        prepare(unlabelled, LIVER, CROP)


def test_what_cannot_be_prepared_is_refused():
    masks = Volume(None, np.zeros((4, 5, 6), np.int16), Geometry.plain((4, 5, 6)))
    with pytest.raises(DataError, match="masks only"):
        prepare(masks, LIVER, PreprocessingSettings())
    with pytest.raises(DataError, match="expected 3 numbers"):
        prepare(volume(Geometry.plain((4, 5, 6))), LIVER, PreprocessingSettings(spacing_mm=(1.0, 1.0)))
    with pytest.raises(DataError, match=r"dataset\.roi"):
        prepare(volume(Geometry.plain((4, 5, 6))), DatasetSettings(format="toy", target=(2,)), CROP)
    prepared = prepare(volume(Geometry.plain((4, 5, 6))), LIVER, PreprocessingSettings())
    with pytest.raises(ValueError, match="for a prepared case of"):
        restore(np.zeros((2, 4, 5, 7), np.float32), prepared.meta)


def test_an_image_can_be_stored_as_float16_and_nothing_else_changes():
    given_volume = volume(Geometry.plain((4, 5, 6)))
    full, half = (
        prepare(given_volume, LIVER, PreprocessingSettings(normalise="zscore", image_dtype=dtype))
        for dtype in ("float32", "float16")
    )
    assert np.array_equal(half.image, full.image.astype(np.float16))
    assert half.image.dtype == np.float16
    assert np.array_equal(half.labels, full.labels)
    assert half.meta == full.meta


def test_the_volume_that_was_read_is_not_changed():
    given_volume = volume(Geometry.plain((8, 8, 8)))
    image, labels = given_volume.image.copy(), given_volume.labels.copy()
    settings = PreprocessingSettings(roi_from="reference", mask_outside_roi=True, normalise="zscore")
    prepare(given_volume, LIVER, settings).labels[:] = 7
    assert np.array_equal(given_volume.image, image)
    assert np.array_equal(given_volume.labels, labels)


@pytest.mark.shared_data
@pytest.mark.parametrize(("folder", "spacing"), [("lidc_nodules", (1.0, 0.7, 0.7)), ("sts_pet", (3.0, 3.0, 3.0))])
def test_real_masks_come_back_nearly_unchanged_through_another_spacing(shared_data, folder, spacing):
    dataset = open_dataset(PairsSettings(csv=shared_data / folder / "pairs.csv", target=(1,), roi=(1,)))
    cases = dataset.cases()
    directions, overlaps = set(), []
    settings = PreprocessingSettings(
        spacing_mm=spacing, roi_from="reference", crop=CropSettings(margin_mm=4.0), normalise="zscore"
    )
    for case in cases[:: max(1, len(cases) // 40)]:
        read = dataset.read(case)
        directions.add(read.geometry.stored)
        prepared = prepare(read, dataset.settings, settings)
        restored = restore(certain(prepared.labels, 1), prepared.meta)
        truth = read.labels == 1
        overlaps.append(2 * (restored & truth).sum() / (restored.sum() + truth.sum()))
    assert min(overlaps) > 0.85
    assert np.mean(overlaps) > 0.93
    if folder == "lidc_nodules":
        assert len(directions) > 1, "flipped cases are among them"
