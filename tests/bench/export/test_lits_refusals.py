"""What cannot be exported is refused before anything is segmented, in words, and nothing is written."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import nibabel
import numpy as np
import pytest

from bench.errors import BenchError, DataError, RunError
from bench.execution.prediction import TrainedCell
from bench.export.folder import LOCK
from bench.export.lits import Request, export_lits
from bench.export.lits_cells import CellChoice
from bench.files.checksum import seal_folder
from bench.files.lock import FileLock


@pytest.fixture
def wanted(own_networks, test_set, tmp_path, monkeypatch):
    """An export in which nothing may be segmented."""

    def refuse(cell, volume):
        raise AssertionError("something was segmented")

    monkeypatch.setattr(TrainedCell, "segment", refuse)
    tumour = CellChoice(own_networks.tumour_run, own_networks.tumour)
    return Request(tumour, test_set.images, tmp_path / "out", test_set.livers, device="cpu")


def refused(request, kind, words):
    with pytest.raises(kind, match=words):
        export_lits(request, lambda line: None)
    assert not list(request.out.glob("test-segmentation-*"))


def change_suite(choice, **dataset):
    folder = choice.run / "cells" / choice.cell
    content = json.loads((folder / "suite.json").read_text())
    content["dataset"] |= dataset
    (folder / "suite.json").write_text(json.dumps(content))
    seal_folder(folder)
    return choice


def rewrite(path, change=lambda array: array, move=0.0):
    given = nibabel.load(path)
    affine = given.affine.copy()
    affine[0, 3] += move
    nibabel.save(nibabel.Nifti1Image(change(np.asanyarray(given.dataobj).copy()), affine), path)


def test_folders_without_test_volumes(wanted, tmp_path, lits):
    (tmp_path / "empty").mkdir()
    refused(
        replace(wanted, images=tmp_path / "nowhere"), DataError, r"nowhere: no such folder; expected one with test-v"
    )
    refused(replace(wanted, images=tmp_path / "empty"), DataError, r"holds no test-volume-N.nii\[.gz\] \(it is empty\)")
    refused(replace(wanted, images=lits), DataError, r"holds no test-volume-N.* \(8 other files: segmentation-0.nii.gz")
    refused(replace(wanted, liver=lits), DataError, r"holds no liver-N.nii\[.gz\] or test-segmentation-N.nii\[.gz\]")


def test_volumes_and_masks_that_are_not_of_the_same_numbers(wanted, test_set):
    shutil.copy(test_set.liver("3"), test_set.livers / "test-segmentation-77.nii")
    refused(wanted, DataError, "no volume for test-segmentation-77.nii of .* no test volume is forgotten")
    test_set.liver("011").unlink()
    refused(wanted, DataError, r"no liver mask for test-volume-011.nii.gz of .*: add them, or .* --liver-run")


def test_a_number_that_occurs_twice_and_a_name_in_capitals(wanted, test_set):
    twin = test_set.images / "test-volume-11.nii"
    shutil.copy(test_set.volume("3"), twin)
    refused(wanted, DataError, "are both of number 11: leave one of them")
    twin.rename(test_set.images / "Test-Volume-5.nii")
    refused(wanted, DataError, "Test-Volume-5.nii has capitals in its name, expected test-volume-N")


def test_a_mask_on_another_grid(wanted, test_set):
    path = test_set.liver("24")
    whole = path.read_bytes()
    rewrite(path, move=0.5)
    refused(
        wanted, DataError, "test-volume-24: the liver mask .*liver-24.nii lies on another grid than .*origins differ"
    )
    path.write_bytes(whole)
    rewrite(path, lambda array: array[:-1])
    refused(wanted, DataError, "test-volume-24: shapes differ")
    given = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(np.zeros(nibabel.load(test_set.volume("24")).shape), given.affine * 2), path)
    refused(wanted, DataError, "test-volume-24: spacings differ")


def test_files_that_cannot_be_read(wanted, test_set):
    path = test_set.volume("24")
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    refused(wanted, DataError, "cannot read .*test-volume-24.nii: truncated")
    path.write_bytes(whole)
    rewrite(path, lambda array: array[..., 0])
    refused(wanted, DataError, r"test-volume-24.nii has 1 channel\(s\) and 2 axes; expected a CT of one channel")
    path.write_bytes(whole)
    rewrite(test_set.liver("24"), lambda array: array + 0.5)
    refused(wanted, DataError, "liver-24.nii has .* no integers")


def test_runs_and_cells_that_are_not_there(wanted, tmp_path):
    run, cell = wanted.tumour.run, wanted.tumour.cell
    refused(replace(wanted, tumour=CellChoice(tmp_path, cell)), RunError, "is not a run directory: it has no run.json")
    for wrong in (cell[:-1], "dice", f"{cell[:4]}x{cell[4:]}"):
        words = f"has no cell '{wrong}'. Did you mean '{cell}'.* Its cells: {cell}"
        refused(replace(wanted, tumour=CellChoice(run, wrong)), RunError, words)
    refused(replace(wanted, tumour=CellChoice(run, "../../etc")), RunError, "has no cell '../../etc'")


def test_a_cell_that_is_not_finished(wanted):
    folder = wanted.tumour.run / "cells" / wanted.tumour.cell
    record = folder / "cell.json"
    content = json.loads(record.read_text()) | {"status": "diverged", "reason": "the loss is NaN"}
    record.write_text(json.dumps(content))
    seal_folder(folder)
    refused(wanted, RunError, r"ended as diverged \(the loss is NaN\); expected a finished cell: .*--retry-failed")
    shutil.rmtree(folder)
    refused(wanted, RunError, "is not finished: it is planned and has no record yet; end it with the same `run SUITE`")


def test_a_damaged_checkpoint(wanted):
    path = wanted.tumour.run / "cells" / wanted.tumour.cell / "checkpoints" / "best.pt"
    path.write_bytes(path.read_bytes()[:-1])
    refused(wanted, BenchError, r"best\.pt was altered")


@pytest.mark.parametrize("target", [[1, 2], [1], {"liver": [1], "tumour": [2]}], ids=str)
def test_a_cell_whose_target_is_not_one_tumour_class(wanted, target):
    change_suite(wanted.tumour, target=target)
    refused(wanted, RunError, r"segments .*; expected one class of the label 2, the tumour \(dataset.target: \[2\]\)")


@pytest.mark.parametrize("target", [[2], [1], {"liver": [1], "tumour": [2]}], ids=str)
def test_a_liver_cell_whose_target_is_not_the_liver(wanted, own_networks, target):
    liver = change_suite(CellChoice(own_networks.liver_run, own_networks.liver), target=target)
    refused(replace(wanted, liver=liver), RunError, "segments .*; expected one class, the liver with its tumours")


def test_a_liver_cell_that_needs_a_liver(wanted):
    liver = change_suite(wanted.tumour, target=[1, 2])
    refused(replace(wanted, liver=liver), RunError, r"itself looks inside a region of interest only .*roi_from: ref")


def test_a_network_that_looks_inside_the_liver_without_one(wanted):
    words = r"looks inside the liver only \(preprocessing.roi_from: reference\).*; give masks with --liver, or"
    refused(replace(wanted, liver=None), RunError, words)


def test_a_folder_of_others(wanted, test_set):
    refused(replace(wanted, out=wanted.images), RunError, "is also a folder of inputs, which must stay")
    refused(replace(wanted, out=wanted.liver), RunError, "is also a folder of inputs, which must stay")
    wanted.out.mkdir()
    (wanted.out / "thesis.tex").write_text("all of it")
    refused(
        wanted, RunError, r"holds 1 files and folders that are not of this export \(thesis.tex\); give a new folder"
    )
    (wanted.out / "thesis.tex").unlink()
    (wanted.out / "export.json").write_text('{"schema_version": 2}')
    refused(wanted, RunError, "export.json is no record of an export that this version reads")
    shutil.rmtree(wanted.out)
    wanted.out.write_text("")
    refused(wanted, RunError, "is a file, expected a folder for the masks")


def test_a_folder_in_which_another_export_is_at_work(wanted):
    wanted.out.mkdir()
    with FileLock(wanted.out / LOCK):
        refused(wanted, RunError, r"another export \(process \d+\) writes to .*; wait for it to end")
