from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from bench.data.dataset import open_dataset
from bench.data.formats.pairs import PairsSettings
from bench.errors import DataError


@pytest.fixture
def listed(tmp_path, write_pair):
    """A dataset of the given CSV text, beside two real cases."""
    for name in ("one", "two"):
        write_pair(tmp_path / f"images/{name}.nii.gz", tmp_path / f"{name}_mask.nii.gz")

    def write(text: str, encoding: str = "utf-8", **settings):
        (tmp_path / "list.csv").write_text(text, encoding=encoding)
        return open_dataset(PairsSettings(csv=tmp_path / "list.csv", target=(2,), **settings))

    return write


def test_two_columns_are_enough(listed):
    dataset = listed("image,label\nimages/two.nii.gz,two_mask.nii.gz\nimages/one.nii.gz,one_mask.nii.gz\n")
    assert [(case.id, case.patient) for case in dataset.cases()] == [("one", "one"), ("two", "two")]
    assert dataset.read(dataset.cases()[0]).labels.max() == 2


def test_case_and_patient_are_taken_from_their_columns_in_any_order(listed):
    text = "patient, label , image,case\nP1,one_mask.nii.gz,images/one.nii.gz,a\n,two_mask.nii.gz,images/two.nii.gz,b\n"
    assert [(case.id, case.patient) for case in listed(text).cases()] == [("a", "P1"), ("b", "b")]


def test_a_byte_order_mark_and_blank_lines_do_no_harm(listed):
    dataset = listed("image,label\r\n\r\nimages/one.nii.gz,one_mask.nii.gz\r\n,\r\n", "utf-8-sig")
    assert len(dataset.cases()) == 1


def test_paths_can_be_relative_to_a_root(tmp_path, listed):
    dataset = listed("image,label\none.nii.gz,../one_mask.nii.gz\n", root=tmp_path / "images")
    assert dataset.read(dataset.cases()[0]).image.shape[0] == 1


def test_2d_pictures_make_2d_cases(tmp_path, listed):
    for name in ("cat.png", "cat_mask.png"):
        sitk.WriteImage(sitk.GetImageFromArray(np.eye(4, dtype=np.uint8)), str(tmp_path / name))
    dataset = listed("image,label\ncat.png,cat_mask.png\n")
    volume = dataset.read(dataset.cases()[0])
    assert dataset.cases()[0].id == "cat"
    assert volume.image.shape == (1, 4, 4)
    assert volume.labels.tolist() == np.eye(4).tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column 'image'; found none"),
        ("image,mask\n", "no column 'label'; found image, mask"),
        ("image,label,pateint\n", r"unknown column 'pateint'. Did you mean 'patient'\?"),
        ("image,label\nimages/one.nii.gz\n", r"list\.csv:2: expected 2 fields"),
        ("image,label\na,b,c\n", r"list\.csv:2: expected 2 fields"),
        ("image,label\n\nimages/one.nii.gz,\n", r"list\.csv:3: no label"),
        ("image,label\n,one_mask.nii.gz\n", r"list\.csv:2: no image"),
        ("image,label\n", "no case found"),
        ("image,label\nimages/no.nii.gz,nor.nii.gz\n", r"do not exist: .*no\.nii\.gz, .*nor\.nii\.gz"),
        (
            "image,label\nimages/one.nii.gz,one_mask.nii.gz\nimages/one.nii.gz,two_mask.nii.gz\n",
            "'one' is used twice",
        ),
    ],
)
def test_each_mistake_in_the_list_is_named_with_its_place(listed, text, message):
    with pytest.raises(DataError, match=message):
        listed(text).cases()


def test_a_list_that_is_no_text_or_not_there_is_named(tmp_path, listed):
    dataset = listed("image,label\n")
    assert dataset.absence() is None
    (tmp_path / "list.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"list\.csv: cannot be read as UTF-8"):
        dataset.cases()
    (tmp_path / "list.csv").unlink()
    assert "there is no file" in dataset.absence()
    with pytest.raises(DataError, match=r"list\.csv: cannot be read"):
        dataset.cases()


@pytest.mark.shared_data
@pytest.mark.parametrize(("folder", "cases", "patients"), [("lidc_nodules", 271, 2), ("sts_pet", 32, 1)])
def test_real_lists_open_and_their_cases_are_read(shared_data, folder, cases, patients):
    dataset = open_dataset(PairsSettings(csv=shared_data / folder / "pairs.csv", target=(1,)))
    found = dataset.cases()
    assert len(found) == cases
    assert (len({case.patient for case in found}) < cases) == (patients > 1)
    for case in found[:: cases // 8]:
        volume = dataset.read(case)
        assert set(np.unique(volume.labels)) == {0, 1}
        assert volume.notes == ()
