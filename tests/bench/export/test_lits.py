"""Every test volume gets the file that the LiTS server expects: on its own grid, with the right labels, once."""

from __future__ import annotations

import json
from dataclasses import replace

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

import bench.export.folder
from bench.data.reading import read_labels
from bench.execution.prediction import predict_file
from bench.export.lits import Request, export_lits
from bench.export.lits_cells import CellChoice

NUMBERS = ("3", "011", "24")


@pytest.fixture
def request_(networks, test_set, tmp_path):
    """With the liver from masks."""
    tumour = CellChoice(networks.tumour_run, networks.tumour)
    return Request(tumour, test_set.images, tmp_path / "out", test_set.livers, device="cpu")


@pytest.fixture
def through_liver_cell(request_, networks):
    return replace(request_, liver=CellChoice(networks.liver_run, networks.liver))


def export(request):
    lines = []
    return export_lits(request, lines.append), lines


def voxels(path):
    return np.asanyarray(nibabel.load(path).dataobj)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.mark.parametrize("number", NUMBERS)
def test_masks_lie_on_the_grid_of_their_volume_to_the_bit(request_, test_set, number):
    export(request_)
    given, made = nibabel.load(test_set.volume(number)), nibabel.load(request_.out / f"test-segmentation-{number}.nii")
    assert made.shape == given.shape
    assert made.affine.tobytes() == given.affine.tobytes()
    assert made.header.get_zooms() == given.header.get_zooms()
    assert made.get_data_dtype() == np.uint8
    assert set(np.unique(voxels(request_.out / f"test-segmentation-{number}.nii"))) <= {0, 1, 2}
    itk, mask = (
        sitk.ReadImage(test_set.volume(number)),
        sitk.ReadImage(request_.out / f"test-segmentation-{number}.nii"),
    )
    for grid in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(itk, grid)() == getattr(mask, grid)()
    assert mask.GetPixelID() == sitk.sitkUInt8


@pytest.mark.parametrize("number", NUMBERS)
def test_tumours_are_those_that_predict_finds_in_the_given_liver(request_, networks, test_set, tmp_path, number):
    record, _ = export(request_)
    liver, out = test_set.liver(number), tmp_path / "predicted.nii"
    cell = networks.tumour_run / networks.tumour
    predict_file(cell, (test_set.volume(number),), out, roi=liver, checkpoint="best", device="cpu")
    made, tumour = voxels(request_.out / f"test-segmentation-{number}.nii"), voxels(out) == 1
    assert tumour.any()
    assert np.array_equal(made == 2, tumour)
    assert np.array_equal(made == 1, (voxels(liver) >= 1) & ~tumour)
    counts = record.files[f"test-segmentation-{number}.nii"].voxels
    assert (counts.liver, counts.tumour) == (np.count_nonzero(made == 1), np.count_nonzero(made == 2))
    assert counts.tumour_outside_liver == np.count_nonzero(tumour & (voxels(liver) == 0))


@pytest.mark.parametrize("number", NUMBERS)
def test_a_liver_cell_finds_the_liver_that_the_tumours_are_looked_for_in(
    through_liver_cell, networks, test_set, tmp_path, number
):
    export(through_liver_cell)
    liver, out, volume = tmp_path / "liver.nii", tmp_path / "tumour.nii", test_set.volume(number)
    options = {"checkpoint": "best", "device": "cpu"}
    predict_file(networks.liver_run / networks.liver, (volume,), liver, roi=None, **options)
    predict_file(networks.tumour_run / networks.tumour, (volume,), out, roi=liver, **options)
    made = voxels(through_liver_cell.out / f"test-segmentation-{number}.nii")
    assert np.array_equal(made == 2, voxels(out) == 1)
    assert np.array_equal(made == 1, (voxels(liver) == 1) & (voxels(out) == 0))


def test_the_record_and_the_lines_say_what_the_masks_are_made_of(request_, networks, through_liver_cell, tmp_path):
    _, lines = export(request_)
    content = json.loads((request_.out / "export.json").read_text())
    checkpoint = networks.tumour_run / "cells" / networks.tumour / "checkpoints" / "best.pt"
    checksum = bench.export.folder.sha256_file(checkpoint)
    tumour = {"run": str(networks.tumour_run), "cell": networks.tumour, "checkpoint": "best", "sha256": checksum}
    assert content["tumour"] == tumour
    assert content["labels"] == {"background": 0, "liver": 1, "tumour": 2}
    assert (content["liver"]["kind"], content["liver"]["folder"]) == ("masks", str(request_.liver))
    assert content["files"].keys() == {f"test-segmentation-{number}.nii" for number in NUMBERS}
    assert all(part in lines[0] for part in (networks.tumour, str(networks.tumour_run), checksum[:12], "the masks in"))
    for number, line in zip(NUMBERS, lines[1:], strict=True):
        counts = content["files"][f"test-segmentation-{number}.nii"]["voxels"]
        assert f"test-segmentation-{number}.nii  liver {counts['liver']:,} voxels, tumour {counts['tumour']:,}" in line
    _, lines = export(replace(through_liver_cell, out=tmp_path / "other"))
    assert f"liver from {networks.liver} of {networks.liver_run} (checkpoint best" in lines[0]


def test_a_killed_export_goes_on_and_ends_in_the_same_bytes(request_, tmp_path, monkeypatch):
    whole = replace(request_, out=tmp_path / "whole")
    export(whole)
    usual, kept = bench.export.folder.write_bytes, []

    def killed(path, content):
        if kept:
            (path.parent / ".tmp-half").write_bytes(content[:10])
            raise KeyboardInterrupt
        usual(path, content)
        kept.append((path, path.stat().st_ino))

    with monkeypatch.context() as patch:
        patch.setattr(bench.export.folder, "write_bytes", killed)
        with pytest.raises(KeyboardInterrupt):
            export(request_)
    ((first, inode),) = kept
    assert contents(request_.out).keys() == {"export.json", first.name}
    _, lines = export(request_)
    assert lines[1] == "1 of 3 files are complete already"
    assert first.stat().st_ino == inode
    assert not list(request_.out.glob(".tmp-*"))
    assert contents(request_.out) == contents(whole.out)
    before = {path: path.stat().st_ino for path in request_.out.glob("*.nii")}
    _, lines = export(request_)
    assert lines[1:] == ["3 of 3 files are complete already"]
    assert {path: path.stat().st_ino for path in request_.out.glob("*.nii")} == before


def test_without_a_liver_a_network_of_whole_volumes_gives_tumours_only(workshop, lits, request_):
    nothing = dict.fromkeys(("cases", "seed", "size", "spacing_mm"))
    dataset = {"format": "lits", "root": str(lits), "target": [2], **nothing}
    whole, parts = {"roi_from": None, "crop": None}, {"train": 2, "validation": 1, "test": 1}
    suite = workshop.suite(dataset=dataset, split=parts, preprocessing=whole, training={"steps": 2})
    run = workshop.here(suite, methods=("dice",))
    (cell,) = run.path.glob("cells/*")
    record, lines = export(replace(request_, tumour=CellChoice(run.path, cell.name), liver=None))
    assert "liver from nowhere: no voxel gets its label" in lines[0]
    for name, made in record.files.items():
        assert not (voxels(request_.out / name) == 1).any()
        assert (made.voxels.liver, made.voxels.tumour_outside_liver) == (0, None)


def test_a_liver_without_a_voxel_is_said_and_the_whole_volume_searched(request_, test_set):
    path = test_set.liver("24")
    given = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(np.zeros(given.shape, np.uint8), given.affine, given.header), path)
    record, lines = export(request_)
    assert record.files["test-segmentation-24.nii"].notes == ("no voxel of the liver; the whole volume was searched",)
    assert lines[-1].endswith("no voxel of the liver; the whole volume was searched")


def test_labels_come_back_through_the_reader_of_the_house(request_, test_set):
    export(request_)
    _, grid = read_labels("volume", test_set.volume("24"))
    assert read_labels("mask", request_.out / "test-segmentation-24.nii")[1] == grid
