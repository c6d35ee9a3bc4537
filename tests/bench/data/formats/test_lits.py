from __future__ import annotations

import shutil

import numpy as np
import pytest

from bench.data.dataset import open_dataset
from bench.data.formats.lits import LitsSettings
from bench.errors import DataError


def opened(root):
    return open_dataset(LitsSettings(root=root, target=(2,), roi=(1, 2)))


def test_cases_come_in_the_order_of_their_numbers(lits_folder):
    cases = opened(lits_folder(10, 2, 0)).cases()
    assert [case.id for case in cases] == ["volume-0", "volume-2", "volume-10"]
    assert [case.patient for case in cases] == ["volume-0", "volume-2", "volume-10"]
    assert [path.name for path in cases[1].files] == ["volume-2.nii.gz", "segmentation-2.nii.gz"]


def test_a_case_is_read_with_its_labels(lits_folder):
    dataset = opened(lits_folder(0))
    volume = dataset.read(dataset.cases()[0])
    assert volume.image.shape == (1, *volume.labels.shape)
    assert set(np.unique(volume.labels)) == {0, 1, 2}


def test_subfolders_are_searched_and_hidden_files_and_strangers_ignored(lits_folder):
    root = lits_folder(0, 1)
    batch = root / "Training Batch 2" / "deep"
    batch.mkdir(parents=True)
    for kind in ("volume", "segmentation"):
        shutil.move(root / f"{kind}-1.nii.gz", batch)
    for name in ("._volume-7.nii", ".DS_Store", "Thumbs.db", "test-volume-3.nii", "volume-3.nii.bak", "volume-a.nii"):
        (root / name).write_bytes(b"x")
    (root / ".Trash").mkdir()
    (root / ".Trash" / "volume-9.nii").write_bytes(b"x")
    (root / "loop").symlink_to(root)
    assert [case.id for case in opened(root).cases()] == ["volume-0", "volume-1"]


def test_images_without_label_and_labels_without_image_are_all_listed(lits_folder):
    root = lits_folder(0, 1, 2, 3)
    (root / "volume-1.nii.gz").unlink()
    (root / "segmentation-2.nii.gz").unlink()
    (root / "segmentation-3.nii.gz").unlink()
    expected = r"volume-2 has no segmentation; volume-3 has no segmentation; segmentation-1 has no volume"
    with pytest.raises(DataError, match=expected):
        opened(root).cases()


def test_a_number_that_exists_twice_is_refused_with_both_paths(lits_folder):
    root = lits_folder(0)
    shutil.copy(root / "volume-0.nii.gz", root / "volume-00.nii.gz")
    with pytest.raises(DataError, match=r"volume-0 exists 2 times \(.*volume-0\.nii\.gz, .*volume-00\.nii\.gz\)"):
        opened(root).cases()


def test_absent_data_is_said_and_empty_data_is_an_error(tmp_path, lits_folder):
    assert "there is no folder" in opened(tmp_path / "nowhere").absence()
    (tmp_path / "empty").mkdir()
    assert "holds no volume-N" in opened(tmp_path / "empty").absence()
    with pytest.raises(DataError, match="no case found"):
        opened(tmp_path / "empty").cases()
    assert opened(lits_folder(0)).absence() is None
