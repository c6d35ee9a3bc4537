from __future__ import annotations

import hashlib
import os

import pytest

from bench.data import fingerprints
from bench.data.fingerprints import FingerprintMemory
from bench.errors import DataError


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "scan é.nii.gz"
    path.write_bytes(b"voxels")
    return path


def test_a_remembered_file_is_not_read_again_even_by_another_process(tmp_path, scan, monkeypatch):
    memory = FingerprintMemory(tmp_path / "deep" / "memory.json")
    assert not memory.knows(scan)
    assert memory.checksum(scan) == hashlib.sha256(b"voxels").hexdigest()
    memory.save()
    monkeypatch.setattr(fingerprints, "sha256_file", lambda path: pytest.fail("read again"))
    again = FingerprintMemory(memory.path)
    assert again.knows(scan)
    assert again.checksum(scan) == hashlib.sha256(b"voxels").hexdigest()


def test_a_file_of_another_size_or_time_is_read_again(tmp_path, scan):
    memory = FingerprintMemory(tmp_path / "memory.json")
    first = memory.checksum(scan)
    state = scan.stat()
    scan.write_bytes(b"Voxels")
    os.utime(scan, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert not memory.knows(scan)
    assert memory.checksum(scan) != first


def test_verifying_notices_a_change_that_size_and_time_hide(tmp_path, scan):
    memory = FingerprintMemory(tmp_path / "memory.json")
    first = memory.verify(scan)
    assert memory.verify(scan) == first
    state = scan.stat()
    scan.write_bytes(b"Voxels")
    os.utime(scan, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert memory.checksum(scan) == first
    with pytest.raises(DataError, match=r"scan é\.nii\.gz: the content changed"):
        memory.verify(scan)


def test_two_memories_of_one_file_keep_what_both_learnt(tmp_path, scan):
    other = tmp_path / "other.nii.gz"
    other.write_bytes(b"x")
    first, second = FingerprintMemory(tmp_path / "memory.json"), FingerprintMemory(tmp_path / "memory.json")
    first.checksum(scan)
    second.checksum(other)
    first.save()
    second.save()
    both = FingerprintMemory(tmp_path / "memory.json")
    assert both.knows(scan)
    assert both.knows(other)


@pytest.mark.parametrize("content", ["", "{", '{"version": 99, "sha256": {}}', "[]", '{"version": 1, "sha256": 3}'])
def test_a_damaged_memory_is_an_empty_one(tmp_path, scan, content):
    path = tmp_path / "memory.json"
    path.write_text(content)
    memory = FingerprintMemory(path)
    assert not memory.knows(scan)
    memory.checksum(scan)
    memory.save()
    assert FingerprintMemory(path).knows(scan)


def test_a_missing_file_is_unknown_and_cannot_be_summed(tmp_path):
    memory = FingerprintMemory(tmp_path / "memory.json")
    assert not memory.knows(tmp_path / "nothing")
    with pytest.raises(DataError, match="nothing: cannot be read"):
        memory.checksum(tmp_path / "nothing")
