"""A label map has the header geometry of its image to the bit, whatever that is."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest

from bench.data.reading import read_image, read_volume
from bench.export.label_file import label_file

SHEARED = np.array([[-2.0, 0.3, 0, 5], [0, -3.0, 0.2, 1], [0, 0, 4.0, 2], [0, 0, 0, 1]])
TURNED = np.array([[0, 2.0, 0, 5], [1.0, 0, 0, -9], [0, 0, -3.0, 40], [0, 0, 0, 1]])


def saved(path, affine, shape=(6, 7, 8), **forms):
    image = nibabel.Nifti1Image(np.arange(np.prod(shape), dtype=np.int16).reshape(shape), affine)
    for name, code in forms.items():
        getattr(image, f"set_{name}")(affine, code)
    image.header["descrip"], image.header["cal_min"], image.header["cal_max"] = b"scanner", -100, 250
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"name of a patient"))
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("affine", [np.diag([1.5, 2.5, 3.5, 1.0]), TURNED, SHEARED], ids=["plain", "turned", "sheared"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_grid_and_voxels_are_those_of_the_image(tmp_path, affine, name):
    source = saved(tmp_path / name, affine)
    volume = read_volume("case", [source])
    labels = (volume.image[0] % 3).astype(np.uint8)
    out = tmp_path / "labels.nii"
    out.write_bytes(label_file(source, labels, volume.geometry))
    given, made = nibabel.load(source), nibabel.load(out)
    for field in ("dim", "pixdim", "qform_code", "sform_code", "srow_x", "srow_y", "srow_z", "xyzt_units"):
        assert np.array_equal(given.header[field], made.header[field]), field
    assert made.affine.tobytes() == given.affine.tobytes()
    assert np.array_equal(np.asanyarray(made.dataobj), np.asanyarray(given.dataobj) % 3)
    assert read_image("case", out)[1] == read_image("case", source)[1]


@pytest.mark.parametrize("forms", [{"qform": 1, "sform": 0}, {"qform": 0, "sform": 2}, {"qform": 0, "sform": 0}])
def test_both_forms_of_a_header_are_copied(tmp_path, forms):
    source = saved(tmp_path / "a.nii", TURNED, **forms)
    volume = read_volume("case", [source])
    out = tmp_path / "labels.nii"
    out.write_bytes(label_file(source, np.ones(volume.geometry.shape, np.uint8), volume.geometry))
    for code in ("qform_code", "sform_code"):
        assert nibabel.load(out).header[code] == nibabel.load(source).header[code]
    assert nibabel.load(out).affine.tobytes() == nibabel.load(source).affine.tobytes()


def test_nothing_of_the_ct_s_voxels_and_texts_is_left(tmp_path):
    source = saved(tmp_path / "a.nii", TURNED)
    volume = read_volume("case", [source])
    content = label_file(source, np.ones(volume.geometry.shape, np.uint8), volume.geometry)
    (tmp_path / "labels.nii").write_bytes(content)
    header = nibabel.load(tmp_path / "labels.nii").header
    assert (float(header["cal_min"]), float(header["cal_max"])) == (0, 0)
    assert b"scanner" not in content
    assert b"patient" not in content
    assert content == label_file(source, np.ones(volume.geometry.shape, np.uint8), volume.geometry)


def test_a_fourth_axis_of_one_entry_stays(tmp_path):
    source = saved(tmp_path / "a.nii", TURNED, shape=(6, 7, 8, 1))
    volume = read_volume("case", [source])
    (tmp_path / "labels.nii").write_bytes(label_file(source, np.ones(volume.geometry.shape, np.uint8), volume.geometry))
    assert nibabel.load(tmp_path / "labels.nii").shape == (6, 7, 8, 1)


def test_labels_of_another_shape_are_refused(tmp_path):
    source = saved(tmp_path / "a.nii", TURNED)
    with pytest.raises(ValueError, match=r"labels of shape \(2, 2, 2\)"):
        label_file(source, np.ones((2, 2, 2), np.uint8), read_volume("case", [source]).geometry)
