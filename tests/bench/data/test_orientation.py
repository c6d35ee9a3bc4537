from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given
from hypothesis import strategies as st

from bench.data.orientation import Orientation, as_read, as_stored, canonical_geometry, orientation_of, to_canonical
from bench.data.reading import read_labels, read_volume
from bench.data.volume import Geometry
from bench.data.writing import write_image, write_labels

ALL = [Orientation(tuple(axes), flips) for axes in permutations(range(3)) for flips in product((False, True), repeat=3)]


def stored_as(orientation: Orientation, tilt: float = 0.0) -> Geometry:
    """A grid of 3 × 4 × 5 canonical voxels, stored in another orientation, tilted round z."""
    cosine, sine = float(np.cos(tilt)), float(np.sin(tilt))
    direction = (cosine, -sine, 0.0, sine, cosine, 0.0, 0.0, 0.0, 1.0)
    canonical = Geometry((3, 4, 5), (2.0, 0.8, 0.7), (10.0, -20.0, 30.0), direction)
    return canonical_geometry(canonical, orientation.inverse)


def place(geometry: Geometry, index: tuple[int, ...]) -> np.ndarray:
    """Where a voxel lies, as SimpleITK has it."""
    image = sitk.Image([int(n) for n in geometry.shape[::-1]], sitk.sitkUInt8)
    image.SetSpacing(geometry.spacing_mm[::-1])
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
    return np.array(image.TransformIndexToPhysicalPoint([int(i) for i in index[::-1]]))


@pytest.mark.parametrize("orientation", ALL, ids=lambda o: str(o.code))
@pytest.mark.parametrize("tilt", [0.0, 0.3, -0.7])
def test_every_voxel_keeps_its_value_and_its_place_in_the_patient(orientation, tilt):
    stored = stored_as(orientation, tilt)
    assert orientation_of(stored.direction) == orientation
    canonical = canonical_geometry(stored, orientation)
    assert orientation_of(canonical.direction).canonical
    numbers = np.arange(60).reshape(stored.shape)
    turned = to_canonical(numbers, orientation)
    assert turned.shape == canonical.shape == (3, 4, 5)
    for value in (0, 7, 33, 59):
        before = tuple(np.argwhere(numbers == value)[0])
        after = tuple(np.argwhere(turned == value)[0])
        assert place(stored, before) == pytest.approx(place(canonical, after), abs=1e-9)


@given(st.sampled_from(ALL), st.integers(0, 2))
def test_the_way_back_is_exact(orientation, lead):
    array = np.arange(60 * 2**lead).reshape((2,) * lead + (3, 4, 5))
    assert np.array_equal(to_canonical(to_canonical(array, orientation), orientation.inverse), array)
    assert orientation.canonical or Orientation.of_code(orientation.code) == orientation


@pytest.mark.parametrize("orientation", ALL, ids=lambda o: str(o.code))
def test_a_file_is_read_in_one_frame_and_a_prediction_has_the_axes_of_the_file(tmp_path, orientation):
    stored = stored_as(orientation)
    labels = np.arange(60, dtype=np.int16).reshape(stored.shape)
    write_image(tmp_path / "image.nii.gz", labels.astype(np.float32), stored)
    write_labels(tmp_path / "label.nii.gz", labels, stored)
    volume = read_volume("a", [tmp_path / "image.nii.gz"], tmp_path / "label.nii.gz")
    assert volume.geometry.shape == (3, 4, 5)
    assert volume.geometry.spacing_mm == pytest.approx((2.0, 0.8, 0.7))
    assert np.array_equal(volume.image[0], volume.labels)
    write_labels(tmp_path / "prediction.nii.gz", volume.labels, volume.geometry)
    again, grid = read_labels("a", tmp_path / "prediction.nii.gz")
    original, expected = read_labels("a", tmp_path / "label.nii.gz")
    assert np.array_equal(again, original)
    assert grid.shape == expected.shape
    assert grid.direction == pytest.approx(expected.direction)
    assert grid.origin == pytest.approx(expected.origin, abs=1e-4)
    assert np.array_equal(as_read(again, volume.geometry), volume.labels)


def test_a_label_without_the_direction_of_its_image_turns_with_it(tmp_path):
    turned = stored_as(Orientation((0, 1, 2), (False, True, True)))
    plain = Geometry.plain(turned.shape, turned.spacing_mm)
    labels = np.arange(60, dtype=np.int16).reshape(turned.shape)
    write_image(tmp_path / "image.nii.gz", labels.astype(np.float32), turned)
    write_labels(tmp_path / "label.nii.gz", labels, plain)
    volume = read_volume("a", [tmp_path / "image.nii.gz"], tmp_path / "label.nii.gz")
    assert np.array_equal(volume.image[0], volume.labels)
    assert len(volume.notes) == 2


def test_pictures_of_two_axes_turn_too():
    orientation = Orientation((1, 0), (True, False))
    stored = canonical_geometry(Geometry.plain((4, 6), (1.0, 2.0)), orientation.inverse)
    assert orientation_of(stored.direction) == orientation
    array, grid = as_stored(np.zeros((4, 6)), Geometry.plain((4, 6)))
    assert array.shape == grid.shape == (4, 6)


def test_a_code_that_is_no_permutation_is_refused():
    with pytest.raises(ValueError, match=r"stored axes \(1, 1, -3\)"):
        Geometry((1, 1, 1), (1.0, 1.0, 1.0), (0.0,) * 3, Geometry.plain((1, 1, 1)).direction, (1, 1, -3))


def test_real_scans_of_both_kinds_are_brought_to_one_frame(shared_data, tmp_path):
    folder = shared_data / "lidc_nodules"
    turned = 0
    for image in sorted((folder / "images").glob("*.nii.gz"))[:60]:
        direction = sitk.ReadImage(str(image)).GetDirection()
        volume = read_volume("a", [image])
        assert orientation_of(volume.geometry.direction).canonical
        turned += bool(volume.geometry.stored)
        assert bool(volume.geometry.stored) == (direction[0] < 0)
    assert turned < 60
