"""Set aside, never deleted, and never twice under one name."""

from __future__ import annotations

import os

import pytest

from bench.execution import damage
from bench.execution.damage import Inspection, make_room, set_aside
from bench.files.checksum import seal_folder


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "case-1"
    folder.mkdir()
    (folder / "image.npy").write_bytes(b"voxels")
    seal_folder(folder)
    return folder


def test_whole_folders_stay_where_they_are(folder):
    assert Inspection().without_damage([folder, folder])
    assert folder.is_dir()


def test_every_damaged_folder_is_set_aside_with_a_warning_that_says_why(folder, tmp_path):
    inspection = Inspection()
    for number in ("", "-2", "-3"):
        assert inspection.without_damage([folder])
        (folder / "image.npy").write_bytes(b"moths")
        with pytest.warns(UserWarning, match=r"image\.npy was altered.*set aside as case-1\.damaged.*built again"):
            assert not inspection.without_damage([folder])
        assert not folder.exists()
        aside = tmp_path / f"case-1.damaged{number}"
        assert (aside / "image.npy").read_bytes() == b"moths"
        folder.mkdir()
        (folder / "image.npy").write_bytes(b"voxels")
        seal_folder(folder)


def test_a_folder_that_another_worker_set_aside_meanwhile_is_no_trouble(folder):
    with pytest.warns(UserWarning, match="gone"):
        set_aside(folder, "gone")
    assert not Inspection().without_damage([folder])


def test_a_folder_is_read_once_and_again_only_when_a_file_of_it_changed(folder, monkeypatch):
    read = []
    usual = damage.verify_folder
    monkeypatch.setattr(damage, "verify_folder", lambda path: (read.append(path), usual(path)))
    inspection = Inspection()
    for _ in range(3):
        assert inspection.without_damage([folder])
    assert read == [folder]
    os.utime(folder)  # as a use of it does
    assert inspection.without_damage([folder])
    assert read == [folder]
    os.utime(folder / "image.npy", ns=(0, 0))
    assert inspection.without_damage([folder])
    assert read == [folder] * 2
    (folder / "stowaway").touch()
    with pytest.warns(UserWarning, match="stowaway was added"):
        assert not inspection.without_damage([folder])


def test_room_is_made_only_where_nothing_published_stands(folder, tmp_path):
    make_room(tmp_path / "nothing")
    make_room(folder)
    assert folder.is_dir()
    (folder / "seal.json").unlink()
    with pytest.warns(UserWarning, match="has no seal"):
        make_room(folder)
    assert not folder.exists()
    assert (tmp_path / "case-1.damaged" / "image.npy").exists()
