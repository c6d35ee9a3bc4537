from __future__ import annotations

import gzip
import struct
from pathlib import Path

import nibabel
import numpy as np
import pytest

from bench.data import nifti
from bench.data.nifti import BrokenNiftiError, check_nifti
from bench.data.volume import Geometry
from bench.data.writing import write_image


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.nii.gz"
    noise = np.random.default_rng(0).normal(size=(20, 30, 40)).astype(np.float32)
    write_image(path, noise, Geometry.plain((20, 30, 40), (3.0, 0.7, 0.7)))
    return path


def test_a_whole_file_passes_compressed_or_not(scan, tmp_path):
    check_nifti(scan)
    plain = tmp_path / "plain.nii"
    plain.write_bytes(gzip.decompress(scan.read_bytes()))
    check_nifti(plain)


@pytest.mark.parametrize("suffix", ["nii", "nii.gz"])
def test_both_nifti_versions_pass(tmp_path, suffix):
    for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        path = tmp_path / f"{kind.__name__}.{suffix}"
        nibabel.save(kind(np.zeros((3, 4, 5), np.int16), np.eye(4)), path)
        check_nifti(path)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.9999])
def test_a_truncated_gzip_file_is_broken(scan, share):
    content = scan.read_bytes()
    scan.write_bytes(content[: int(share * len(content))])
    with pytest.raises(BrokenNiftiError, match="truncated or damaged"):
        check_nifti(scan)


def test_a_flipped_bit_fails_the_gzip_check_sum(scan):
    content = bytearray(scan.read_bytes())
    content[len(content) // 2] ^= 1
    scan.write_bytes(content)
    with pytest.raises(BrokenNiftiError, match="truncated or damaged"):
        check_nifti(scan)


@pytest.mark.parametrize("lost", [1, 1000, 40_000])
def test_an_uncompressed_file_shorter_than_its_header_says_is_broken(scan, tmp_path, lost):
    plain = tmp_path / "plain.nii"
    content = gzip.decompress(scan.read_bytes())
    plain.write_bytes(content[:-lost])
    with pytest.raises(BrokenNiftiError, match=rf"promises {len(content)} bytes, the file holds {len(content) - lost}"):
        check_nifti(plain)


@pytest.mark.parametrize("content", [b"", b"<html>404 Not Found</html>" * 30, b"\x1f\x8b" + bytes(600)])
def test_what_is_no_image_is_broken_under_any_name(tmp_path, content):
    for name in ("scan.nii.gz", "scan.nii"):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(BrokenNiftiError):
            check_nifti(path)


@pytest.mark.parametrize("order", ["<", ">"])
def test_bad_voxels_are_counted_in_either_byte_order_and_across_pieces(tmp_path, monkeypatch, order):
    monkeypatch.setattr(nifti, "PIECE", 7)
    voxels = np.ones((3, 4, 5), f"{order}f4")
    voxels[0, 0, 0], voxels[1, 2, 3], voxels[2, 3, 4] = np.nan, np.inf, -np.inf
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(voxels.dtype)
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4), header), tmp_path / "a.nii")
    assert check_nifti(tmp_path / "a.nii") == 3


@pytest.mark.parametrize("spacing", [0.0, -1.0, float("nan"), float("inf")])
def test_a_spacing_that_itk_would_replace_in_silence_is_broken(scan, tmp_path, spacing):
    content = bytearray(gzip.decompress(scan.read_bytes()))
    content[80:84] = struct.pack("<f", spacing)
    path = tmp_path / "spacing.nii"
    path.write_bytes(content)
    with pytest.raises(BrokenNiftiError, match="expected positive numbers"):
        check_nifti(path)
