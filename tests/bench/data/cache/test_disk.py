"""A disk without room, a real one: a file system of two megabytes in memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.data.cache import arrays as module
from bench.data.cache.arrays import open_arrays, write_arrays
from bench.data.cache.store import CaseCache
from bench.errors import StorageError
from bench.files.checksum import seal_folder, verify_folder

SIZE = 2 * 2**20


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux":
        pytest.skip("tmpfs is a file system of Linux")
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_too_little_room_is_told_before_anything_is_written(small_disk):
    cache = CaseCache(small_disk / "cases", 10**9)
    building = cache.start("a-1")
    with pytest.raises(StorageError) as refused:
        write_arrays(building, {"labels": np.zeros(10, np.int8), "image": np.zeros(3 * 2**20, np.uint8)}, {})
    text = str(refused.value)
    assert text.startswith(f"{building} cannot be written (")
    assert "3,145,738 bytes needed" in text
    assert "python -m bench cache clean" in text
    assert "$IMBALANCE_BENCH_CACHE" in text
    assert not list(building.iterdir())


def test_room_that_somebody_takes_meanwhile_is_told_with_the_file(small_disk, fill, monkeypatch):
    """The check beforehand promises nothing: others write to the same disk."""
    cache = CaseCache(small_disk / "cases", 10**9)
    kept = fill(cache, "a-1", 2**20)
    monkeypatch.setattr(module, "check_space", lambda folder, needed: None)
    with cache.lock("b-2"):
        building = cache.start("b-2")
        with pytest.raises(StorageError, match=r"image\.npy cannot be written .* 2,097,152 bytes needed"):
            write_arrays(building, {"image": np.zeros(SIZE, np.uint8)}, {})
    assert not cache.holds("b-2")
    verify_folder(kept)
    cache.remove([entry for entry in cache.entries() if entry.identity == "b-2"])
    monkeypatch.undo()
    with cache.lock("b-2"):
        write_arrays(cache.start("b-2"), {"image": np.ones(1000, np.uint8)}, {})
        seal_folder(cache.building("b-2"))
        assert open_arrays(cache.publish("b-2"))["image"].sum() == 1000


def test_a_read_only_disk_is_told_with_the_folder_and_what_to_do(small_disk, fill):
    cache = CaseCache(small_disk / "cases", 10**9)
    folder = fill(cache, "a-1")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert open_arrays(folder)["image"].size == 1000
    assert [entry.identity for entry in cache.entries()] == ["a-1"]
    with pytest.raises(StorageError, match=r"b-2 cannot be written \(Read-only file system\); make it writable, or"):
        cache.start("b-2")
    with pytest.raises(StorageError, match="cannot be written"):
        cache.remove(cache.entries())
