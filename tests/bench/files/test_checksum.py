"""Seals: whatever happens to a sealed folder is noticed and named."""

from __future__ import annotations

import hashlib
import json

import pytest

from bench.files.checksum import (
    SEAL,
    DamagedError,
    is_sealed,
    seal_folder,
    sha256_bytes,
    sha256_file,
    verify_folder,
)
from bench.files.names import TEMPORARY


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "case 007 é"
    (folder / "masks").mkdir(parents=True)
    (folder / "image.npy").write_bytes(bytes(range(256)))
    (folder / "masks" / "a.nii.gz").write_bytes(b"mask")
    (folder / "empty").touch()
    seal_folder(folder)
    return folder


def test_checksums_are_sha256(tmp_path):
    data = b"x" * 3_000_000
    (tmp_path / "a").write_bytes(data)
    assert sha256_file(tmp_path / "a") == sha256_bytes(data) == hashlib.sha256(data).hexdigest()


def test_an_untouched_folder_is_whole(folder):
    assert is_sealed(folder)
    verify_folder(folder)


def test_sealing_again_gives_the_same_seal(folder):
    before = (folder / SEAL).read_bytes()
    seal_folder(folder)
    assert (folder / SEAL).read_bytes() == before


@pytest.mark.parametrize("position", [0, 100, 255])
def test_one_flipped_bit_is_named(folder, position):
    data = bytearray((folder / "image.npy").read_bytes())
    data[position] ^= 1
    (folder / "image.npy").write_bytes(data)
    with pytest.raises(DamagedError, match=r"007 é: image\.npy was altered since it was sealed; remove the folder"):
        verify_folder(folder)


def test_a_truncated_a_missing_and_an_added_file_are_all_named(folder):
    (folder / "image.npy").write_bytes(bytes(range(255)))
    (folder / "masks" / "a.nii.gz").unlink()
    (folder / "masks" / "b.nii.gz").touch()
    expected = r"image\.npy was altered; masks/a\.nii\.gz is missing; masks/b\.nii\.gz was added since"
    with pytest.raises(DamagedError, match=expected):
        verify_folder(folder)


def test_a_file_of_no_bytes_counts_too(folder):
    (folder / "empty").unlink()
    with pytest.raises(DamagedError, match="empty is missing"):
        verify_folder(folder)


def test_what_a_killed_writer_left_is_no_part_of_the_folder(folder):
    (folder / f"{TEMPORARY}0123-image.npy").write_bytes(b"half")
    verify_folder(folder)


@pytest.mark.parametrize(
    "seal", [b"", b"{", b"[]", b"null", b"7", b'{"sha256": null}', b'{"sha256": ["a"]}', b'{"sha1": {}}', b"\xff\xfe"]
)
def test_an_unreadable_seal_is_damage(folder, seal):
    (folder / SEAL).write_bytes(seal)
    with pytest.raises(DamagedError, match=rf"case 007 é: its {SEAL} cannot be read .*; remove the folder"):
        verify_folder(folder)


def test_a_missing_seal_is_damage(folder):
    (folder / SEAL).unlink()
    assert not is_sealed(folder)
    with pytest.raises(DamagedError, match="cannot be read"):
        verify_folder(folder)


def test_a_flipped_bit_in_the_seal_is_noticed(folder):
    """Anywhere: in a checksum, in a name, in the syntax; only layout may change unnoticed."""
    whole = (folder / SEAL).read_bytes()
    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= 1
        (folder / SEAL).write_bytes(flipped)
        if same_content(flipped, whole):
            verify_folder(folder)
        else:
            with pytest.raises(DamagedError):
                verify_folder(folder)


def same_content(first: bytes, second: bytes) -> bool:
    try:
        return json.loads(first) == json.loads(second)
    except ValueError:
        return False
