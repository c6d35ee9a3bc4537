"""Generated cases as LiTS files."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from bench.data.formats.lits import LitsDataset, LitsSettings
from bench.data.phantom import generate
from bench.data.phantom.export import write_lits
from bench.data.phantom.settings import PhantomSettings
from bench.errors import DataError

SETTINGS = PhantomSettings(cases=2, seed=1000, size=(20, 28, 24), spacing_mm=(5.0, 2.5, 3.0))


def test_files_read_back_identically_as_int16_and_uint8_with_their_spacing(tmp_path):
    files = write_lits(tmp_path / "lits", SETTINGS)
    assert [file.name for file in files] == [
        "volume-0.nii.gz", "segmentation-0.nii.gz", "volume-1.nii.gz", "segmentation-1.nii.gz",
    ]  # fmt: skip
    for index in range(2):
        case = generate(index, SETTINGS)
        image, label = (sitk.ReadImage(str(file)) for file in files[2 * index : 2 * index + 2])
        assert image.GetPixelID() == sitk.sitkInt16
        assert label.GetPixelID() == sitk.sitkUInt8
        assert np.allclose(image.GetSpacing(), (3.0, 2.5, 5.0))
        assert np.allclose(label.GetSpacing(), (3.0, 2.5, 5.0))
        assert np.array_equal(sitk.GetArrayFromImage(image), case.image[0])
        assert np.array_equal(sitk.GetArrayFromImage(label), case.labels)


def test_the_lits_format_reads_what_was_written(tmp_path):
    write_lits(tmp_path, SETTINGS)
    dataset = LitsDataset(LitsSettings(root=tmp_path, target=(2,), roi=(1, 2)))
    volumes = [dataset.read(case) for case in dataset.cases()]
    assert len(volumes) == 2
    assert np.array_equal(volumes[1].image, generate(1, SETTINGS).image)


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "volume-7.nii").write_text("mine")
    with pytest.raises(DataError, match="not an empty folder"):
        write_lits(tmp_path, SETTINGS)
    assert [file.name for file in tmp_path.iterdir()] == ["volume-7.nii"]
