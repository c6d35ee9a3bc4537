from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from bench.data.orientation import as_stored
from bench.data.reading import read_image, read_labels, read_volume
from bench.data.volume import Geometry
from bench.data.writing import write_image, write_labels
from bench.errors import DataError


@pytest.fixture
def pair(tmp_path, write_pair):
    return write_pair(tmp_path / "image.nii.gz", tmp_path / "label.nii.gz")


def test_arrays_are_zyx_with_spacing_in_the_same_order(pair, flipped):
    volume = read_volume("a", pair[:1], pair[1])
    assert volume.image.shape == (1, 5, 6, 7)
    assert volume.image.dtype == np.float32
    assert volume.labels.dtype == np.int16
    assert volume.geometry.shape == flipped.shape
    assert volume.geometry.spacing_mm == pytest.approx(flipped.spacing_mm)
    assert volume.notes == ()


def test_several_image_files_become_channels(pair, tmp_path, flipped):
    second = tmp_path / "second.nii.gz"
    write_image(second, np.full(flipped.shape, 3, np.float32), flipped)
    volume = read_volume("a", [pair[0], second], pair[1])
    assert volume.image.shape == (2, 5, 6, 7)
    assert np.all(volume.image[1] == 3)


def test_2d_pictures_are_read_as_rows_and_columns(tmp_path):
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for name in ("a.png", "a.tif", "a.nii.gz"):
        sitk.WriteImage(sitk.GetImageFromArray(grey), str(tmp_path / name))
        image, geometry = read_image("a", tmp_path / name)
        assert geometry.shape == (3, 4)
        assert np.array_equal(image[0], grey)


def test_colours_become_channels_but_no_labels(tmp_path):
    colours = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    path = tmp_path / "rgb.png"
    sitk.WriteImage(sitk.GetImageFromArray(colours, isVector=True), str(path))
    assert np.array_equal(read_image("a", path)[0], np.moveaxis(colours, -1, 0))
    with pytest.raises(DataError, match=r"case a.*3 components"):
        read_labels("a", path)


@pytest.mark.parametrize("content", [b"", b"<html></html>"])
def test_an_unreadable_file_is_named_with_case_path_and_cause(pair, content):
    pair[0].write_bytes(content)
    with pytest.raises(DataError, match=r"case a: cannot read .*image\.nii\.gz: (the file is empty|a web page)"):
        read_volume("a", pair[:1], pair[1])


def test_a_truncated_file_that_itk_fills_with_zeros_is_refused(pair):
    content = pair[0].read_bytes()
    pair[0].write_bytes(content[: len(content) * 9 // 10])
    assert sitk.ReadImage(str(pair[0])).GetSize() == (7, 6, 5), "if ITK notices by now, our own check may go"
    with pytest.raises(DataError, match="truncated or damaged"):
        read_volume("a", pair[:1], pair[1])


def test_a_missing_file_and_a_picture_that_is_none_are_refused(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        read_image("a", tmp_path / "nothing.nii.gz")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(DataError, match=r"case a: cannot read .*text\.png"):
        read_image("a", tmp_path / "text.png")


def test_a_4d_file_is_refused_with_its_size(tmp_path):
    sitk.WriteImage(sitk.Image([3, 4, 5, 2], sitk.sitkFloat32), str(tmp_path / "four.nii.gz"))
    with pytest.raises(DataError, match=r"4 axes of sizes \(3, 4, 5, 2\)"):
        read_image("a", tmp_path / "four.nii.gz")


def test_another_shape_or_spacing_is_an_error_that_names_both(pair, tmp_path, flipped):
    other = tmp_path / "other.nii.gz"
    write_labels(other, np.zeros((5, 6, 8), np.uint8), replace(flipped, shape=(5, 6, 8)))
    with pytest.raises(DataError, match=r"case a: shapes differ: \(5, 6, 7\) and \(5, 6, 8\)"):
        read_volume("a", pair[:1], other)
    write_labels(other, np.zeros((5, 6, 7), np.uint8), replace(flipped, spacing_mm=(2.5, 0.7, 0.802)))
    with pytest.raises(DataError, match=r"case a: spacings differ.*0\.80199"):
        read_volume("a", pair[:1], other)


def test_another_origin_or_direction_is_a_note(pair, tmp_path, flipped):
    other = tmp_path / "other.nii.gz"
    moved = replace(flipped, origin=(0.0, 0.0, 0.0), direction=Geometry.plain((1, 1, 1)).direction)
    write_labels(other, np.zeros((5, 6, 7), np.uint8), moved)
    volume = read_volume("a", pair[:1], other)
    assert [note.split()[0] for note in volume.notes] == ["origins", "directions"]
    stored = as_stored(volume.labels, volume.geometry)[1]
    assert stored.origin == pytest.approx(flipped.origin, abs=1e-5)
    assert stored.direction == pytest.approx(flipped.direction)


@pytest.mark.parametrize("name", ["image.nii.gz", "image.nii", "image.mha"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_voxels_of_nan_or_infinity_that_itk_would_make_0_are_refused(tmp_path, value, kind, name):
    voxels = np.zeros((2, 3, 4), kind)
    voxels[0, 0, :2] = value
    path = tmp_path / name
    write_image(path, voxels, Geometry.plain((2, 3, 4)))
    with pytest.raises(DataError, match="2 of 24 voxels that are NaN or infinite"):
        read_image("a", path)


def test_voxels_too_large_for_float32_are_refused(tmp_path):
    voxels = np.zeros((2, 3, 4))
    voxels[0, 0, :2] = 1e300
    path = tmp_path / "image.nii.gz"
    write_image(path, voxels, Geometry.plain((2, 3, 4)))
    with pytest.raises(DataError, match="2 of 24 voxels that are NaN or infinite"):
        read_image("a", path)


def test_float_labels_are_rounded_only_when_they_are_integers_in_disguise(tmp_path):
    path, plain = tmp_path / "label.nii.gz", Geometry.plain((2, 2, 2))
    write_image(path, np.array([0, 1, 0.9999, 2.0004, 0, 0, 0, 1]).reshape(2, 2, 2).astype(np.float32), plain)
    assert sorted(np.unique(read_labels("a", path)[0])) == [0, 1, 2]
    write_image(path, np.array([0, 1, 0.99, 2.5, 0, 0, 0, 1]).reshape(2, 2, 2).astype(np.float32), plain)
    with pytest.raises(DataError, match=r"case a: .* 2 voxels that are no integers \(0\.99, 2\.5\)"):
        read_labels("a", path)
    write_image(path, np.array([0, 1, np.nan, 2, 0, 0, 0, 1]).reshape(2, 2, 2).astype(np.float32), plain)
    with pytest.raises(DataError, match=r"case a: .* 1 of 8 voxels that are NaN or infinite"):
        read_labels("a", path)


def test_labels_that_do_not_fit_are_listed(tmp_path):
    path = tmp_path / "label.nii.gz"
    write_image(path, np.full((2, 2, 2), 70000, np.int32), Geometry.plain((2, 2, 2)))
    with pytest.raises(DataError, match=r"values outside \[-32768, 32767\]: 70000"):
        read_labels("a", path)


@pytest.mark.shared_data
def test_real_masks_of_any_number_type_are_read_as_integers(shared_data):
    for folder, expected in (("hippocampus", {0, 1, 2}), ("ms_lesion_masks", {0, 1})):
        files = sorted((shared_data / folder / "labels").glob("*.nii.gz"))[:3]
        for path in files:
            assert set(np.unique(read_labels(path.stem, path)[0])) == expected
