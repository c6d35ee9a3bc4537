from __future__ import annotations

import numpy as np
import pytest

from bench.data.contract import violations
from bench.data.dataset import open_dataset
from bench.data.formats.masks import MasksSettings
from bench.errors import DataError


@pytest.fixture
def listed(tmp_path, write_pair):
    """A dataset of the given CSV text, beside two real labels whose images are gone."""
    for name in ("one", "two"):
        image, _ = write_pair(tmp_path / f"{name}_image.nii.gz", tmp_path / f"{name}.nii.gz")
        image.unlink()

    def write(text: str):
        (tmp_path / "masks.csv").write_text(text)
        return open_dataset(MasksSettings(csv=tmp_path / "masks.csv", target=(2,)))

    return write


def test_one_column_is_enough_and_the_label_stands_where_the_image_would(listed):
    dataset = listed("label\ntwo.nii.gz\none.nii.gz\n")
    assert [(case.id, case.patient) for case in dataset.cases()] == [("one", "one"), ("two", "two")]
    volume = dataset.read(dataset.cases()[0])
    assert volume.image.dtype == np.float32
    assert volume.image[0].tolist() == volume.labels.tolist()


def test_it_keeps_the_contract_of_formats(listed, tmp_path, write_pair):
    image, other = write_pair(tmp_path / "gone.nii.gz", tmp_path / "three.nii.gz")
    other.write_bytes(other.read_bytes() + b"\0" * 8)  # voxels as before, another file
    image.unlink()
    assert violations(listed("label,patient\none.nii.gz,P\nthree.nii.gz,P\n")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label\na,b\n", r"masks\.csv:1: unknown column 'image'\. Allowed: case, patient, label"),
        ("case,label\none,\n", r"masks\.csv:2: no label"),
        ("label\nno.nii.gz\n", r"do not exist: .*no\.nii\.gz"),
    ],
)
def test_each_mistake_in_the_list_is_named_with_its_place(listed, text, message):
    with pytest.raises(DataError, match=message):
        listed(text).cases()
