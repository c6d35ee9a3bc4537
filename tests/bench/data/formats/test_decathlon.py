from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from bench.data.contract import violations
from bench.data.dataset import open_dataset
from bench.data.formats.decathlon import DecathlonSettings
from bench.errors import DataError


@pytest.fixture
def task(tmp_path):
    """Writer of a decathlon folder whose 4D images have two channels: 0 CT-like, 1 a constant per case."""

    def write(numbers=(1, 2, 10), channels=2, **changes):
        root = tmp_path / "Task00_Small"
        random = np.random.default_rng(0)
        for folder in ("imagesTr", "labelsTr"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        for n in numbers:
            volumes = []
            for channel in range(channels):
                array = random.normal(size=(4, 5, 6)) if channel == 0 else np.full((4, 5, 6), n)
                volumes.append(sitk.GetImageFromArray(array.astype(np.float32)))
                volumes[-1].SetSpacing((0.5, 1.0, 2.0))
            image = sitk.JoinSeries(volumes) if channels > 1 else volumes[0]
            labels = np.zeros((4, 5, 6), np.uint8)
            labels[1, 2, 3], labels[2, 2, 2] = 1, 2
            mask = sitk.GetImageFromArray(labels)
            mask.SetSpacing((0.5, 1.0, 2.0))
            sitk.WriteImage(image, str(root / f"imagesTr/small_{n}.nii.gz"))
            sitk.WriteImage(mask, str(root / f"labelsTr/small_{n}.nii.gz"))
            (root / f"imagesTr/._small_{n}.nii.gz").write_bytes(b"x")
        content = {
            "modality": {str(channel): f"sequence {channel}" for channel in range(channels)},
            "labels": {"0": "background", "1": "core", "2": "rim"},
            "training": [
                {"image": f"./imagesTr/small_{n}.nii.gz", "label": f"./labelsTr/small_{n}.nii.gz"} for n in numbers
            ],
        }
        (root / "dataset.json").write_text(json.dumps(content | changes))
        return open_dataset(DecathlonSettings(root=root, target={"core": (1,), "rim": (2,)}))

    return write


def test_cases_are_those_of_the_list_in_natural_order(task):
    dataset = task()
    assert [case.id for case in dataset.cases()] == ["small_1", "small_2", "small_10"]
    assert violations(dataset) == []


def test_the_last_axis_of_a_4d_file_is_the_channels(task):
    dataset = task()
    volume = dataset.read(dataset.cases()[2])
    assert volume.image.shape == (2, 4, 5, 6)
    assert (volume.image[1] == 10).all()
    assert volume.image[0].std() > 0
    assert volume.labels.shape == (4, 5, 6)
    assert volume.geometry.spacing_mm == (2.0, 1.0, 0.5)
    assert volume.notes == ()


def test_one_declared_channel_is_a_3d_file(task):
    dataset = task(channels=1)
    assert dataset.read(dataset.cases()[0]).image.shape == (1, 4, 5, 6)


def test_another_number_of_channels_than_declared_is_refused(task):
    dataset = task(modality={"0": "T1", "1": "T2", "2": "FLAIR"})
    with pytest.raises(DataError, match="the fourth axis has 2 entries, but 3 channels are declared"):
        dataset.read(dataset.cases()[0])
    dataset = task(channels=1, modality={"0": "T1", "1": "T2"})
    with pytest.raises(DataError, match=r"1 channels in .*, but 2 are declared"):
        dataset.read(dataset.cases()[0])


def test_entries_of_hidden_files_are_skipped(task):
    entries = [
        {"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"}
        for name in ("._small_1", "small_1")
    ]
    assert [case.id for case in task(training=entries).cases()] == ["small_1"]


def test_missing_files_are_omissions_beside_the_good_cases(task):
    dataset = task()
    (dataset.settings.root / "labelsTr/small_2.nii.gz").unlink()
    listing = dataset.listing()
    assert [case.id for case in listing.cases] == ["small_1", "small_10"]
    assert [(o.case, o.rule) for o in listing.omissions] == [("small_2", "pairing")]
    with pytest.raises(DataError, match=r"case small_2 names files that do not exist: .*labelsTr.small_2\.nii\.gz"):
        dataset.cases()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": None}, "no list `training`"),
        ({"training": ["./imagesTr/small_1.nii.gz"]}, r"training\[0\] is '\./imagesTr"),
        ({"modality": {"1": "CT"}}, "expected the channels by their numbers"),
        ({"modality": None}, "modality is None"),
        ({"labels": {"0": "background", "1": "core"}}, "names the label 2, the file knows 0 background, 1 core"),
        ({"training": []}, "no case found"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(task, changes, message):
    with pytest.raises(DataError, match=message):
        task(**changes).cases()


def test_absent_and_broken_files_are_told_apart(tmp_path):
    dataset = open_dataset(DecathlonSettings(root=tmp_path, target=(1,)))
    assert "there is no file" in dataset.absence()
    (tmp_path / "dataset.json").write_text("{")
    assert dataset.absence() is None
    with pytest.raises(DataError, match="not valid JSON"):
        dataset.cases()
    (tmp_path / "dataset.json").write_text("[]")
    with pytest.raises(DataError, match="found list"):
        dataset.cases()


def test_real_scans_of_the_decathlon_are_read(shared_data):
    root = shared_data / "hippocampus"
    dataset = open_dataset(DecathlonSettings(root=root, target={"anterior": (1,), "posterior": (2,)}))
    cases = dataset.cases()
    assert len(cases) == 151
    volume = dataset.read(cases[0])
    assert volume.image.shape == (1, *volume.labels.shape)
    assert set(np.unique(volume.labels)) == {0, 1, 2}
