"""Named arrays in a folder: mapped, write-protected, and harmless whoever made the folder."""

from __future__ import annotations

import json
import os
import pickle
import re
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bench.data.cache.arrays import DESCRIPTION, open_arrays, write_arrays
from bench.errors import DataError
from bench.files.checksum import DamagedError, seal_folder, sha256_file, verify_folder

IMAGE = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def folder(tmp_path):
    """A folder of two arrays."""
    write_arrays(tmp_path / "entry", {"image": IMAGE, "labels": np.zeros((2, 3, 4), np.int8)}, {"id": "a"})
    return tmp_path / "entry"


def describe(folder, change):
    """Change the description."""
    content = json.loads((folder / DESCRIPTION).read_text())
    change(content)
    (folder / DESCRIPTION).write_text(json.dumps(content))


def test_arrays_come_back_mapped_and_write_protected(folder):
    arrays = open_arrays(folder)
    assert arrays.names == tuple(arrays) == ("image", "labels")
    assert arrays.description == {"id": "a"}
    assert isinstance(arrays["image"], np.memmap)
    assert np.array_equal(arrays["image"], IMAGE)
    assert arrays["image"] is arrays["image"]
    assert "labels" in arrays
    assert "roi" not in arrays
    with pytest.raises(KeyError):
        arrays["roi"]
    with pytest.raises(ValueError, match="read-only"):
        arrays["image"][0] = 1


@given(
    array=st.sampled_from(["<f2", "<f4", "<f8", "|i1", "<i4", "<i8", "|u1", "|b1", ">f4"]).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    )
)
def test_every_type_and_shape_comes_back_bit_by_bit(tmp_path_factory, array):
    folder = tmp_path_factory.mktemp("entry")
    turned = array.T  # not in C order
    write_arrays(folder, {"array": array, "turned": turned}, {})
    opened = open_arrays(folder)
    for name, expected in (("array", array), ("turned", turned)):
        assert (opened[name].dtype, opened[name].shape) == (expected.dtype, expected.shape)
        assert opened[name].tobytes() == expected.tobytes()
        assert not opened[name].flags.writeable


def test_equal_content_gives_equal_bytes(tmp_path, folder):
    write_arrays(tmp_path / "two", {"labels": np.zeros((2, 3, 4), np.int8), "image": IMAGE.copy("F")}, {"id": "a"})
    for file in folder.iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_other_programs_can_read_the_files(folder):
    assert np.array_equal(np.load(folder / "image.npy"), IMAGE)


@pytest.mark.parametrize("name", ["", "Image", "1st", "a b", "a-b", "a.b", "../image", "/etc/image", "ä", "a\n"])
def test_a_name_that_is_no_plain_word_is_refused_on_both_ways(tmp_path, folder, name):
    with pytest.raises(ValueError, match=re.escape(f"{name!r} is no name of an array")):
        write_arrays(tmp_path / "new", {name: IMAGE}, {})
    assert not (tmp_path / "new").exists()
    describe(folder, lambda content: content["arrays"].update({name: content["arrays"]["image"]}))
    with pytest.raises(DataError, match="holds no arrays"):
        open_arrays(folder)


@pytest.mark.parametrize(
    "array", [np.array([{}]), np.array(["a"]), np.array([b"a"]), np.zeros(2, "M8[s]"), np.zeros(2, "f4,i4")]
)
def test_only_numbers_are_stored(tmp_path, array):
    with pytest.raises(ValueError, match="expected booleans, integers or floating-point numbers"):
        write_arrays(tmp_path / "new", {"a": array}, {})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "content",
    [None, b"", b"{", b"[]", b"7", b"\xff", b'{"schema_version": 1}', b"[" * 100_000, b'{"schema_version": 2}'],
)
def test_a_folder_without_a_sensible_description_is_refused_by_name(folder, content):
    (folder / DESCRIPTION).unlink()
    if content is not None:
        (folder / DESCRIPTION).write_bytes(content)
    with pytest.raises(DataError, match=f"{folder} holds no arrays: {DESCRIPTION} cannot be read"):
        open_arrays(folder)


def test_another_schema_version_is_refused(folder):
    describe(folder, lambda content: content.update(schema_version=99))
    with pytest.raises(DataError, match="arrays of schema version 99, this program reads 1"):
        open_arrays(folder)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "|O", "shape": [1]},
        {"dtype": "<U8", "shape": [1]},
        {"dtype": "f4,i4", "shape": [1]},
        {"dtype": "(2,)f4", "shape": [1]},
        {"dtype": "no such type", "shape": [1]},
        {"dtype": ["f4"], "shape": [1]},
        {"dtype": "<f4", "shape": [-1]},
        {"dtype": "<f4", "shape": ["1"]},
        {"dtype": "<f4", "shape": [True]},
        {"dtype": "<f4", "shape": 3},
        {"dtype": "<f4"},
        None,
    ],
)
def test_a_described_array_that_cannot_be_is_refused(folder, entry):
    describe(folder, lambda content: content["arrays"].update(image=entry))
    with pytest.raises(DataError, match="holds no arrays"):
        open_arrays(folder)


def test_pickled_objects_are_never_loaded(folder, tmp_path):
    trap = tmp_path / "sprung"
    np.save(folder / "image.npy", np.array([Trap(trap)], dtype=object), allow_pickle=True)
    (folder / "labels.npy").write_bytes(pickle.dumps(Trap(trap)))
    arrays = open_arrays(folder)
    for name in arrays:
        with pytest.raises(DataError, match=rf"{name}\.npy: cannot be mapped"):
            arrays[name]
    assert not trap.exists()


@pytest.mark.parametrize(
    "text", ["(" * 5000, "-" * 9000 + "1", "[" * 90 + "]" * 90, "{'descr': '|O'}", "\0", "1 +\n  '"]
)
def test_no_header_of_a_file_is_ever_parsed(folder, text):
    content = text.encode()
    (folder / "image.npy").write_bytes(np.lib.format.magic(1, 0) + len(content).to_bytes(2, "little") + content)
    with pytest.raises(DataError, match=r"image\.npy: cannot be mapped"):
        open_arrays(folder)["image"]


@pytest.mark.parametrize("shape", [[2**62, 2**62], [10**30], [0, 2**62, 2**62], [1] * 99])
def test_a_shape_beyond_all_bounds_is_refused_not_allocated(folder, shape):
    describe(folder, lambda content: content["arrays"]["image"].update(shape=shape))
    with pytest.raises(DataError, match=r"image\.npy: cannot be mapped"):
        open_arrays(folder)["image"]


def test_an_archive_in_the_place_of_an_array_is_refused(folder):
    with zipfile.ZipFile(folder / "image.npy", "w") as archive:
        archive.writestr("image.npy", b"")
    with pytest.raises(DataError, match=r"image\.npy: cannot be mapped"):
        open_arrays(folder)["image"]


@pytest.mark.parametrize(
    "other", [IMAGE.astype(np.float64), IMAGE[0], IMAGE.view(np.int32), IMAGE[:, :1], np.zeros(0, np.float32)]
)
def test_an_array_other_than_described_is_refused(folder, other):
    np.save(folder / "image.npy", other)
    with pytest.raises(DataError, match=r"bytes, described are float32 of shape \(1, 2, 3, 4\) in 224 bytes"):
        open_arrays(folder)["image"]


@pytest.mark.parametrize("size", [0, 5, 60, 128, 150, 223, 225])
def test_an_array_that_was_cut_off_or_grew_is_refused(folder, size):
    os.truncate(folder / "image.npy", size)
    with pytest.raises(DataError, match=r"image\.npy: cannot be mapped .* remove its folder to have it built again"):
        open_arrays(folder)["image"]


def test_a_missing_array_is_refused(folder):
    (folder / "image.npy").unlink()
    with pytest.raises(DataError, match=r"image\.npy: cannot be mapped"):
        open_arrays(folder)["image"]


@pytest.mark.parametrize("name", [DESCRIPTION, "image.npy"])
def test_a_link_in_the_place_of_a_file_is_not_followed(folder, tmp_path, name):
    (folder / name).rename(tmp_path / "outside")
    (folder / name).symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match=f"{name} is no plain file"):
        open_arrays(folder)["image"]


@pytest.mark.parametrize("name", [DESCRIPTION, "image.npy"])
def test_a_pipe_in_the_place_of_a_file_does_not_block(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(DataError, match=f"{name} is no plain file"):
        open_arrays(folder)["image"]


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside"])
def test_a_seal_that_names_a_file_outside_is_damage_even_with_the_right_checksum(folder, tmp_path, name):
    (tmp_path / "outside").write_text("secret")
    seal_folder(folder)
    seal = json.loads((folder / "seal.json").read_text())
    seal["sha256"][name] = sha256_file((folder / name).resolve())
    (folder / "seal.json").write_text(json.dumps(seal))
    with pytest.raises(DamagedError, match=f"{name} is missing"):
        verify_folder(folder)


@pytest.mark.parametrize("name", ["image.npy", "labels.npy", DESCRIPTION])
def test_a_flipped_bit_and_a_cut_end_are_noticed_by_the_seal(folder, name):
    seal_folder(folder)
    verify_folder(folder)
    content = (folder / name).read_bytes()
    flipped = bytearray(content)
    flipped[-2] ^= 1
    for broken in (bytes(flipped), content[:-1]):
        (folder / name).write_bytes(broken)
        with pytest.raises(DamagedError, match=f"{name} was altered"):
            verify_folder(folder)


def test_opening_reads_no_voxel(tmp_path):
    """A terabyte of zeros that takes no room on the disk opens as a small array does."""
    write_arrays(tmp_path / "entry", {"image": np.zeros(8, np.uint8)}, {})
    describe(tmp_path / "entry", lambda content: content["arrays"]["image"].update(shape=[2**40]))
    header = (tmp_path / "entry/image.npy").read_bytes()[:128].replace(b"(8,), }            ", b"(1099511627776,), }")
    (tmp_path / "entry/image.npy").write_bytes(header)
    try:
        os.truncate(tmp_path / "entry/image.npy", 128 + 2**40)
    except OSError as error:
        pytest.skip(f"no sparse file of this size here: {error}")
    assert open_arrays(tmp_path / "entry")["image"][-1] == 0
