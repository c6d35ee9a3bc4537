from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from bench.data.reading import read_labels
from bench.data.volume import Geometry
from bench.data.writing import write_image, write_labels


@pytest.mark.parametrize("name", ["mask.nii.gz", "mask.nii"])
def test_labels_come_back_with_their_geometry(tmp_path, flipped, name):
    labels = np.random.default_rng(0).integers(0, 3, flipped.shape).astype(np.int8)
    write_labels(tmp_path / name, labels, flipped)
    read, geometry = read_labels("a", tmp_path / name)
    assert np.array_equal(read, labels)
    assert geometry.spacing_mm == pytest.approx(flipped.spacing_mm)
    assert geometry.direction == pytest.approx(flipped.direction)
    assert geometry.origin == pytest.approx(flipped.origin)


@pytest.mark.parametrize(("low", "high", "kind"), [(0, 255, sitk.sitkUInt8), (-1, 1, sitk.sitkInt16)])
def test_labels_take_the_smallest_type_that_holds_them(tmp_path, low, high, kind):
    write_labels(tmp_path / "a.nii.gz", np.array([[low, high]]), Geometry.plain((1, 2)))
    assert sitk.ReadImage(str(tmp_path / "a.nii.gz")).GetPixelID() == kind


def test_the_same_labels_give_the_same_bytes_at_any_time(tmp_path, flipped):
    labels = np.ones(flipped.shape, np.uint8)
    for name in ("a.nii.gz", "b.nii.gz"):
        write_labels(tmp_path / name, labels, flipped)
        os.utime(tmp_path / name, (0, 0))
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, flipped):
    path = tmp_path / "a.nii.gz"
    write_labels(path, np.ones(flipped.shape, np.uint8), flipped)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="shape"):
        write_labels(path, np.ones((1, 2, 3), np.uint8), flipped)
    with pytest.raises(ValueError, match="int16"):
        write_labels(path, np.full(flipped.shape, 40_000), flipped)
    with pytest.raises(Exception, match=r"(?i)complex|type"):
        write_image(path, np.ones(flipped.shape, np.complex256), flipped)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


ROOM = 20_000
WRITE_TOO_MUCH = f"""
import resource, sys
from pathlib import Path
import numpy as np
from bench.data.volume import Geometry
from bench.data.writing import write_labels
from bench.errors import StorageError
labels = np.random.default_rng(0).integers(0, 200, (20, 50, 50)).astype(np.uint8)
resource.setrlimit(resource.RLIMIT_FSIZE, ({ROOM}, {ROOM}))
try:
    write_labels(Path(sys.argv[1]), labels, Geometry.plain(labels.shape))
except StorageError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii"])
def test_a_mask_that_was_cut_off_by_a_full_disk_is_not_kept(tmp_path, name):
    """ITK says nothing of it but on stderr."""
    path = tmp_path / name
    path.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", WRITE_TOO_MUCH, path], capture_output=True, text=True, check=True)
    said = rf"{path} cannot be written \(only a part could be written: .*; 50,000 bytes needed, [\d,]+ bytes free\)"
    assert re.match(said, done.stdout), done.stdout
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
