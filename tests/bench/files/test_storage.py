"""What the disk refuses is one message with path, cause and remedy; what else goes wrong keeps its own error."""

from __future__ import annotations

import errno
import os

import pytest

from bench.errors import StorageError, VanishedError
from bench.files.jsonl import append_jsonl
from bench.files.names import TEMPORARY
from bench.files.storage import copy_folder, make_folder, probe, refuse_unwritable, saving


def test_a_full_disk_is_told_with_bytes_needed_and_free(tmp_path):
    said = (
        rf"{tmp_path}/a cannot be written \(No space left on device; 1,234,567 bytes needed, [\d,]+ bytes free\); make"
    )
    with pytest.raises(StorageError, match=said), saving(tmp_path / "a", 1_234_567):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_read_only_disk_is_told_with_what_to_choose_instead(tmp_path):
    said = r"a cannot be written \(Read-only file system\); make it writable, or choose another folder"
    with pytest.raises(StorageError, match=said), saving(tmp_path / "a"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_a_folder_that_is_gone_is_an_error_of_its_own_and_does_not_rise_again(tmp_path):
    gone = tmp_path / "run" / "work"
    for write in (lambda: append_jsonl(gone / "log", {}), lambda: make_folder(gone / "job")):
        with pytest.raises(VanishedError, match=f"there is no folder {gone}"):
            write()
    assert not gone.parent.exists()


def test_a_file_that_is_missing_in_a_folder_that_is_there_is_no_fault_of_the_disk(tmp_path):
    with pytest.raises(FileNotFoundError), saving(tmp_path / "a"):
        (tmp_path / "b").read_bytes()


def test_other_errors_pass_unchanged(tmp_path):
    with pytest.raises(ZeroDivisionError), saving(tmp_path / "a"):
        raise ZeroDivisionError


def test_asking_leaves_nothing_behind(tmp_path):
    probe(tmp_path)
    refuse_unwritable(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_copied_into_another_that_may_exist(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_text("1")
    copy_folder(tmp_path / "a", make_folder(tmp_path / "d"))
    assert (tmp_path / "d" / "b" / "c").read_text() == "1"


def test_what_a_killed_writer_left_is_not_copied(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / f"{TEMPORARY}0123-c.nii.gz").write_text("half")
    copy_folder(tmp_path / "a", tmp_path / "d")
    assert list((tmp_path / "d" / "b").iterdir()) == []


def test_a_copy_that_has_no_room_says_how_much_the_whole_needs(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(bytes(5000))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "b")

    monkeypatch.setattr("shutil.copy2", full)
    monkeypatch.setattr("shutil.copytree.__kwdefaults__", None, raising=False)
    monkeypatch.setattr("shutil.copytree.__defaults__", (False, None, full, False, False))
    with pytest.raises(StorageError, match=rf"{tmp_path}/d cannot be written \(.*No space.*; 5,000 bytes needed"):
        copy_folder(tmp_path / "a", tmp_path / "d")
