"""Set aside, never deleted, and never twice under one name."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bench.errors import DataError, StorageError
from bench.execution import damage
from bench.execution.damage import Inspection, make_room, move_aside, set_aside
from bench.files.checksum import seal_folder, verify_folder
from bench.files.lock import FileLock


@pytest.fixture
def folder(tmp_path):
    rebuild(tmp_path / "case-1")
    return tmp_path / "case-1"


def lock_of(folder: Path) -> FileLock:
    return FileLock(folder.with_suffix(".lock"))


def rebuild(folder: Path) -> None:
    folder.mkdir()
    (folder / "image.npy").write_bytes(b"voxels")
    seal_folder(folder)


def test_whole_folders_stay_where_they_are(folder):
    assert Inspection(lock_of).without_damage([folder, folder])
    assert folder.is_dir()


def test_every_damaged_folder_is_set_aside_with_a_warning_that_says_why(folder, tmp_path):
    inspection = Inspection(lock_of)
    for number in ("", "-2", "-3"):
        assert inspection.without_damage([folder])
        (folder / "image.npy").write_bytes(b"moths")
        with pytest.warns(UserWarning, match=r"image\.npy was altered.*set aside as case-1\.damaged.*built again"):
            assert not inspection.without_damage([folder])
        assert not folder.exists()
        aside = tmp_path / f"case-1.damaged{number}"
        assert (aside / "image.npy").read_bytes() == b"moths"
        rebuild(folder)
    (folder / "image.npy").write_bytes(b"moths")
    words = rf"image\.npy was altered.*; 3 damaged copies of case-1 .* the disk of {tmp_path} is not to be trusted"
    with pytest.raises(DataError, match=words):
        inspection.without_damage([folder])
    assert folder.exists()


def test_what_another_worker_has_built_again_meanwhile_stays(folder, monkeypatch):
    usual = damage.verify_folder
    (folder / "image.npy").write_bytes(b"moths")

    def read_slowly(path):
        monkeypatch.setattr(damage, "verify_folder", usual)
        try:
            usual(path)
        finally:
            with pytest.warns(UserWarning, match="set aside"):
                assert not Inspection(lock_of).without_damage([folder])
            rebuild(folder)

    monkeypatch.setattr(damage, "verify_folder", read_slowly)
    inspection = Inspection(lock_of)
    assert not inspection.without_damage([folder])
    assert inspection.without_damage([folder])
    verify_folder(folder)
    assert not folder.with_name("case-1.damaged-2").exists()


def test_what_another_worker_is_building_again_is_left_to_it(folder):
    (folder / "image.npy").write_bytes(b"moths")
    with lock_of(folder):
        assert not Inspection(lock_of).without_damage([folder])
    assert folder.exists()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_where_nothing_can_be_renamed_it_is_said_as_for_every_other_write(folder, monkeypatch, number):
    """Nothing is forbidden to root, under whom this may run, so that the disk's refusal is played."""

    def refuse(path, target):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StorageError, match=rf"case-1 cannot be written \({os.strerror(number)}\); make it writable"):
        move_aside(folder, "failed")


def test_a_folder_that_another_worker_set_aside_meanwhile_is_no_trouble(folder):
    with pytest.warns(UserWarning, match="gone"):
        set_aside(folder, "gone")
    assert not Inspection(lock_of).without_damage([folder])


def test_a_folder_is_read_once_and_again_only_when_a_file_of_it_changed(folder, monkeypatch):
    read = []
    usual = damage.verify_folder
    monkeypatch.setattr(damage, "verify_folder", lambda path: (read.append(path), usual(path)))
    inspection = Inspection(lock_of)
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
