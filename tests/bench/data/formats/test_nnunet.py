from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from bench.data.contract import violations
from bench.data.dataset import open_dataset
from bench.data.formats.nnunet import NnunetSettings
from bench.data.settings import SplitSettings
from bench.data.splits import make_splits, split_in_force
from bench.errors import DataError

TWO = {"channel_names": {"0": "CT", "1": "PET"}, "labels": {"background": 0, "liver": 1, "tumour": 2}}


@pytest.fixture
def raw(tmp_path, write_pair):
    """Writer of a raw folder with two channels per case."""

    def write(*cases, **changes):
        root = tmp_path / "Dataset007_Small"
        for folder in ("imagesTr", "labelsTr"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        for index, case in enumerate(cases):
            for channel in range(2):
                image = root / f"imagesTr/{case}_000{channel}.nii.gz"
                write_pair(image, root / f"labelsTr/{case}.nii.gz", seed=2 * index + channel)
        for folder in ("imagesTr", "labelsTr"):
            (root / folder / "._liver_0_0000.nii.gz").write_bytes(b"x")
            (root / folder / ".DS_Store").write_bytes(b"x")
        (root / "dataset.json").write_text(json.dumps(TWO | changes))
        return open_dataset(NnunetSettings(root=root, target=(2,), roi=(1, 2)))

    return write


def test_a_case_has_one_file_per_channel_and_a_label(raw):
    dataset = raw("liver_0", "liver_2", "liver_10")
    cases = dataset.cases()
    assert [case.id for case in cases] == ["liver_0", "liver_2", "liver_10"]
    names = ["liver_2_0000.nii.gz", "liver_2_0001.nii.gz", "liver_2.nii.gz"]
    assert [path.name for path in cases[1].files] == names
    volume = dataset.read(cases[1])
    assert volume.image.shape == (2, *volume.labels.shape)
    assert not np.array_equal(volume.image[0], volume.image[1])
    assert violations(dataset) == []


def test_version_1_files_and_other_endings_are_read(raw):
    dataset = raw("liver_0", modality={"0": "CT", "1": "PET"}, labels={"0": "background", "1": "liver", "2": "tumour"})
    assert dataset.channels() == 2
    assert len(dataset.cases()) == 1
    with pytest.raises(DataError, match="no case found"):
        raw("liver_0", file_ending=".mha").cases()


def test_an_explicit_list_of_files_goes_before_the_folders(raw):
    files = {
        "images": ["imagesTr/liver_0_0001.nii.gz", "imagesTr/liver_0_0000.nii.gz"],
        "label": "labelsTr/liver_0.nii.gz",
    }
    dataset = raw("liver_0", "liver_1", dataset={"a": files})
    (case,) = dataset.cases()
    assert case.id == "a"
    assert [path.name for path in case.files[:2]] == ["liver_0_0001.nii.gz", "liver_0_0000.nii.gz"]
    with pytest.raises(DataError, match="expected `images`, a list, and `label`"):
        raw("liver_0", dataset={"a": {"label": "labelsTr/liver_0.nii.gz"}}).cases()


def test_missing_images_labels_and_channels_are_all_listed(raw):
    dataset = raw("a", "b", "c", "d")
    root = dataset.settings.root
    (root / "labelsTr/b.nii.gz").unlink()
    (root / "imagesTr/c_0001.nii.gz").unlink()
    for channel in range(2):
        (root / f"imagesTr/d_000{channel}.nii.gz").unlink()
    shutil.copy(root / "imagesTr/a_0000.nii.gz", root / "imagesTr/e.nii.gz")
    listing = dataset.listing()
    assert [case.id for case in listing.cases] == ["a"]
    assert {omission.case for omission in listing.omissions} == {"b", "c", "d", "e"}
    with pytest.raises(
        DataError, match=r"e\.nii\.gz does not end in.*d has no image; b has no label; c has the channels 0000"
    ):
        dataset.cases()


def test_a_coloured_picture_holds_all_channels_in_one_file(tmp_path):
    for folder in ("imagesTr", "labelsTr"):
        (tmp_path / folder).mkdir()
    colours = np.random.default_rng(0).integers(0, 255, (8, 9, 3)).astype(np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(colours, isVector=True), str(tmp_path / "imagesTr/road_0000.png"))
    sitk.WriteImage(sitk.GetImageFromArray(np.eye(8, 9, dtype=np.uint8)), str(tmp_path / "labelsTr/road.png"))
    content = {
        "channel_names": {"0": "R", "1": "G", "2": "B"},
        "file_ending": ".png",
        "labels": {"background": 0, "road": 1},
    }
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    dataset = open_dataset(NnunetSettings(root=tmp_path, target=(1,)))
    assert dataset.read(dataset.cases()[0]).image.shape == (3, 8, 9)


def test_the_split_that_lies_with_the_data_is_taken_when_the_suite_says_nothing(raw):
    dataset = raw("a", "b", "c", "d")
    folds = [{"train": ["a", "b", "c"], "val": ["d"]}, {"train": ["b", "c", "d"], "val": ["a"]}]
    assert split_in_force(SplitSettings(), dataset) == SplitSettings()
    path = dataset.settings.root / "splits_final.json"
    path.write_text(json.dumps(folds))
    taken = split_in_force(SplitSettings(), dataset)
    assert taken == SplitSettings(file=path)
    assert [split.test for split in make_splits(dataset.cases(), taken)] == [("d",), ("a",)]
    own = SplitSettings(test=1, validation=1)
    assert split_in_force(own, dataset) is own
