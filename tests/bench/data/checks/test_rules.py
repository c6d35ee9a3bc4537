"""Every rule on a copy that was broken on purpose: of generated scans, and of real ones where they are there."""

from __future__ import annotations

import gzip
import shutil

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from bench.data.checks.registry import rules
from bench.data.checks.run import apply_rules, inspect
from bench.data.dataset import open_dataset
from bench.data.formats.lits import LitsSettings
from bench.data.formats.masks import MasksSettings
from bench.data.settings import SplitSettings
from bench.data.volume import Geometry
from bench.data.writing import write_image, write_labels
from bench.errors import DataError

SPLIT = SplitSettings(validation=1, test=1)
PATCH = (4, 4, 4)


@pytest.fixture(params=["generated", "real"])
def scans(request, tmp_path):
    """Four whole cases in LiTS layout."""
    root = tmp_path / "scans"
    root.mkdir()
    if request.param == "real":
        source = request.getfixturevalue("shared_data") / "hippocampus"
        for number, path in enumerate(sorted((source / "images").glob("*.nii.gz"))[:4]):
            shutil.copy(path, root / f"volume-{number}.nii.gz")
            shutil.copy(source / "labels" / path.name, root / f"segmentation-{number}.nii.gz")
        return root
    for number in range(4):
        random, shape = np.random.default_rng(number), (8, 9, 10)
        geometry = Geometry.plain(shape, (2.0, 0.8, 0.7))
        labels = np.zeros(shape, np.uint8)
        labels[2:6, 2:6, 2:6], labels[3, 3, 3:5] = 1, 2
        write_image(root / f"volume-{number}.nii.gz", random.normal(size=shape).astype(np.float32), geometry)
        write_labels(root / f"segmentation-{number}.nii.gz", labels, geometry)
    return root


def opened(root):
    return open_dataset(LitsSettings(root=root, target=(2,), roi=(1, 2)))


def found(root, patch=PATCH, split=SPLIT, cache=None):
    """(rule, severity, case) of all findings but those of the original scans."""
    inspection = inspect({"main": opened(root)}, split, patch, cache=cache)
    return {(f.rule, f.severity, f.case) for f in apply_rules(inspection)}


def changed(path, voxels=None, affine=None, dtype=None, **header):
    """Rewrite a file with other voxels or another header."""
    image = nibabel.load(path)
    array = np.asanyarray(image.dataobj) if voxels is None else voxels(np.asanyarray(image.dataobj))
    affine = image.affine if affine is None else affine(image.affine.copy())
    new = nibabel.Nifti1Image(array.astype(dtype or array.dtype), affine)
    for key, value in header.items():
        new.header[key] = value
    nibabel.save(new, path)


def patched(path, **fields):
    """Change fields of the header in the bytes of the file, which no writer would do."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    header = nibabel.Nifti1Header(bytes(content[:348]), check=False)
    for key, value in fields.items():
        header[key] = value
    content[:348] = header.binaryblock
    path.write_bytes(gzip.compress(bytes(content)))


def with_value(value):
    def put(array):
        array = array.astype(np.float32)
        array[1, 1, 1] = value
        return array

    return put


def shear(affine):
    affine[0, 1] += 0.3 * affine[1, 1]
    return affine


def pixdim(path, index, value):
    spacing = nibabel.load(path).header["pixdim"].copy()
    spacing[index] = value
    patched(path, pixdim=spacing)


def shifted(affine):
    affine[:3, 3] += 5
    return affine


def scaled(affine):
    affine[:, 2] *= 2
    return affine


def reversed_axes(affine):
    affine[:, 0] *= -1
    affine[:, 2] *= -1
    return affine


def both(change):
    """Do the same to image and label."""

    def apply(image, label):
        change(image)
        change(label)

    return apply


BREAKS = {
    "truncated": ("unreadable", "error", lambda i, m: i.write_bytes(i.read_bytes()[:-200])),
    "flipped bit": ("unreadable", "error", lambda i, m: flip_bit(m)),
    "zero bytes": ("unreadable", "error", lambda i, m: m.write_bytes(b"")),
    "web page": ("unreadable", "error", lambda i, m: i.write_text("<!DOCTYPE html><html>404</html>")),
    "no spacing": ("spacing", "error", lambda i, m: pixdim(i, 1, 0.0)),
    "negative spacing": ("spacing", "error", lambda i, m: pixdim(i, 3, -1.0)),
    "spacing of NaN": ("spacing", "error", lambda i, m: pixdim(i, 2, np.nan)),
    "4D": ("axes", "error", lambda i, m: changed(i, lambda a: np.stack([a, a], axis=-1))),
    "other shape": ("shape_mismatch", "error", lambda i, m: changed(m, lambda a: a[:-1])),
    "other spacing": ("spacing_mismatch", "error", lambda i, m: changed(m, affine=scaled)),
    "other origin": ("frame_mismatch", "warning", lambda i, m: changed(m, affine=shifted)),
    "NaN": ("non_finite", "error", lambda i, m: changed(i, with_value(np.nan))),
    "infinity": ("non_finite", "error", lambda i, m: changed(i, with_value(np.inf))),
    "NaN in the label": ("non_finite", "error", lambda i, m: changed(m, with_value(np.nan))),
    "constant": ("constant_image", "error", lambda i, m: changed(i, np.zeros_like)),
    "other label": ("unknown_label", "warning", lambda i, m: changed(m, with_value(255))),
    "negative label": ("unknown_label", "warning", lambda i, m: changed(m, with_value(-3))),
    "fraction": ("not_integer", "error", lambda i, m: changed(m, with_value(0.5))),
    "huge label": ("not_integer", "error", lambda i, m: changed(m, with_value(1e6))),
    "float label": ("float_label", "warning", lambda i, m: changed(m, lambda a: a * 0.9999, dtype=np.float32)),
    "label of zeros": ("empty_label", "warning", lambda i, m: changed(m, np.zeros_like)),
    "no target": ("empty_label", "warning", lambda i, m: changed(m, lambda a: (a > 0).astype(np.uint8))),
    "sheared": ("not_orthonormal", "warning", both(lambda p: changed(p, affine=shear))),
    "reversed": ("orientation", "warning", both(lambda p: changed(p, affine=reversed_axes))),
    "turned": ("orientation", "warning", both(lambda p: changed(p, affine=lambda a: a[:, [1, 0, 2, 3]]))),
    "oblique": ("oblique", "warning", both(lambda p: changed(p, affine=lambda a: turn(10) @ a))),
    "metres": ("implausible_spacing", "warning", both(lambda p: changed(p, affine=lambda a: a * 40))),
    "slice": ("single_slice", "warning", both(lambda p: changed(p, lambda a: a[:, :, 3:4]))),
    "small": ("smaller_than_patch", "warning", both(lambda p: changed(p, lambda a: a[:, :, 2:5]))),
    "without label": ("pairing", "error", lambda i, m: m.unlink()),
    "without image": ("pairing", "error", lambda i, m: i.unlink()),
    "twice": ("duplicate_id", "error", lambda i, m: shutil.copy(i, i.with_name("volume-01.nii.gz"))),
}
UNREADABLE = {"unreadable", "spacing", "shape_mismatch", "spacing_mismatch", "non_finite", "not_integer", "axes"}
"""Rules whose errors are also what a reader stumbles over."""


def flip_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def turn(degrees):
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cosine, -sine, 0, 0], [sine, cosine, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_copy_is_found_by_its_rule_and_no_other_case_is_blamed(scans, name):
    rule, severity, damage = BREAKS[name]
    before = found(scans)
    assert not {finding for finding in before if finding[1] == "error"}
    damage(scans / "volume-1.nii.gz", scans / "segmentation-1.nii.gz")
    new = found(scans) - before
    expected = (rule, severity, "volume-1")
    assert expected in new or (expected in before and severity == "warning")
    assert {case for _, _, case in new} <= {"volume-1"}
    if severity == "warning":
        assert not {finding for finding in new if finding[1] == "error"}


@pytest.mark.parametrize(
    "name", [name for name, (rule, _, _) in BREAKS.items() if rule != "pairing" and name != "twice"]
)
def test_what_cannot_be_read_is_an_error_and_nothing_else_of_the_files_is(scans, name):
    rule, _, damage = BREAKS[name]
    damage(scans / "volume-1.nii.gz", scans / "segmentation-1.nii.gz")
    dataset = opened(scans)
    (case,) = [case for case in dataset.cases() if case.id == "volume-1"]
    if rule in UNREADABLE:
        with pytest.raises(DataError, match="case volume-1"):
            dataset.read(case)
    else:
        assert dataset.read(case).image is not None


def copy_case(root, source, target, **changes):
    for kind in ("volume", "segmentation"):
        shutil.copy(root / f"{kind}-{source}.nii.gz", root / f"{kind}-{target}.nii.gz")
        changed(root / f"{kind}-{target}.nii.gz", **changes)


def test_the_same_voxels_in_two_parts_are_a_leak_in_whatever_file_they_are(scans, tmp_path):
    copy_case(scans, 0, 7, dtype=np.float64, affine=shifted)
    split = tmp_path / "split.json"
    split.write_text('{"train": ["volume-1", "volume-7"], "validation": ["volume-2"], "test": ["volume-0"]}')
    apart = SplitSettings(file=split)
    assert ("leak", "error", "volume-7") in found(scans, split=apart)
    split.write_text('{"train": ["volume-0", "volume-7"], "validation": ["volume-2"], "test": ["volume-1"]}')
    assert ("duplicate_image", "warning", "volume-7") in found(scans, split=apart)
    split.write_text('{"train": ["volume-1", "volume-9"], "validation": ["volume-2"], "test": ["volume-0"]}')
    assert ("split", "error", "") in found(scans, split=apart)


@pytest.mark.parametrize(("case", "rule"), [(0, "leak"), (1, "duplicate_image")], ids=["of a test case", "trained on"])
def test_a_mask_that_regressors_are_pretrained_on_must_not_be_that_of_a_test_case(scans, tmp_path, case, rule):
    (tmp_path / "masks").mkdir()
    changed(scans / f"segmentation-{case}.nii.gz", with_value(1))  # the generated ones are all alike
    labels = sitk.ReadImage(str(scans / f"segmentation-{case}.nii.gz"))
    sitk.WriteImage(sitk.Cast(labels, sitk.sitkInt32), str(tmp_path / "masks/mask.nii.gz"))
    different = sitk.GetArrayFromImage(labels)
    different.flat[0] = 2
    sitk.WriteImage(sitk.GetImageFromArray(different), str(tmp_path / "masks/new.nii.gz"))
    (tmp_path / "split.json").write_text('{"train": ["volume-1"], "validation": ["volume-2"], "test": ["volume-0"]}')
    (tmp_path / "masks.csv").write_text("label\nmasks/mask.nii.gz\nmasks/new.nii.gz\n")
    masks = open_dataset(MasksSettings(csv=tmp_path / "masks.csv", target=(2,), roi=(1, 2)))
    datasets = {"main": opened(scans), "pretrain_on": masks}
    findings = apply_rules(inspect(datasets, SplitSettings(file=tmp_path / "split.json"), PATCH))
    about_masks = {(f.rule, f.case) for f in findings if f.dataset == "pretrain_on"}
    assert (rule, "mask") in about_masks
    assert not {name for name, case in about_masks if case == "new"} & {"leak", "duplicate_image", "channels"}
    if rule == "leak":
        (leak,) = [f for f in findings if f.rule == "leak"]
        assert "in train, has the same voxels as main/volume-0 in test" in leak.message


def test_a_spacing_of_1_mm_is_implausible_where_the_body_would_be_too_wide(tmp_path):
    shape = (3, 512, 512)
    for number, spacing in enumerate([(1.0, 1.0, 1.0), (1.0, 0.9, 0.9)]):
        geometry = Geometry.plain(shape, spacing)
        image = np.random.default_rng(number).integers(0, 9, shape).astype(np.int16)
        write_image(tmp_path / f"volume-{number}.nii", image, geometry)
        write_labels(tmp_path / f"segmentation-{number}.nii", (image == 1) * 2, geometry)
    rule = "implausible_spacing"
    assert {case for name, _, case in found(tmp_path, patch=(2, 8, 8)) if name == rule} == {"volume-0"}


def test_a_flat_case_for_a_deep_patch_is_an_error(scans):
    assert ("axes", "error", "volume-2") in found(scans, patch=(8, 8))


def test_the_largest_scans_are_named_from_their_size_alone(scans, monkeypatch):
    from bench.data.checks.rules import size

    monkeypatch.setattr(size, "LARGE_VOXELS", 8 * 9 * 10)
    assert ("large", "warning", "volume-0") in found(scans)


def test_every_rule_says_what_it_finds_and_how_grave_it_is():
    for name in rules.names():
        assert rules.get(name).__doc__
