from __future__ import annotations

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from bench.data.preview import make_preview, read_preview, write_preview
from bench.data.volume import Geometry
from bench.errors import DataError

WHOLE = ((0, 30), (0, 8), (0, 9))


def test_the_slice_of_the_largest_target_area_comes_first():
    reference = np.zeros((30, 8, 9), np.int8)
    reference[3, :2, :2], reference[12, :5, :5], reference[13, :4, :4], reference[25, 0, 0] = 1, 2, 1, 1
    image = np.random.default_rng(0).normal(size=reference.shape).astype(np.float32)
    preview = make_preview(image, reference, WHOLE, None)
    assert preview.index == (12, 3, 25)
    assert preview.image.shape == preview.labels.shape == (3, 8, 9)
    assert np.array_equal(preview.labels[0], reference[12])


def test_a_case_without_target_shows_its_middle():
    image = np.zeros((30, 8, 9), np.float32)
    assert make_preview(image, np.zeros(image.shape, np.int8), WHOLE, None).index == (15,)
    assert make_preview(image, None, ((10, 20), *WHOLE[1:]), None).index == (15,)


def test_slices_are_cut_to_the_box_and_numbered_on_the_native_grid():
    reference = np.zeros((30, 8, 9), np.int8)
    reference[20, 3, 4] = 1
    image = np.random.default_rng(0).normal(size=reference.shape).astype(np.float32)
    preview = make_preview(image, reference, ((18, 25), (2, 6), (3, 9)), None)
    assert preview.index == (20,)
    assert preview.box == ((2, 6), (3, 9))
    assert np.array_equal(preview.labels[0], reference[20, 2:6, 3:9])


def test_the_window_becomes_grey_levels():
    image = np.array([[-100, -60, 40, 140, 500]], np.float32)
    preview = make_preview(image, None, ((0, 1), (0, 5)), (-60.0, 140.0))
    assert preview.index == (0,)
    assert preview.image.tolist() == [[[0, 0, 128, 255, 255]]]


def test_a_constant_image_is_shown_without_complaint():
    assert make_preview(np.full((4, 5), 7, np.float32), None, ((0, 4), (0, 5)), None).image.shape == (1, 4, 5)


@pytest.fixture(params=[(30, 8, 9), (8, 9)])
def made(request):
    reference = np.zeros(request.param, np.int8)
    reference[(..., slice(3, 6), slice(4, 7))] = 1
    image = np.random.default_rng(0).normal(size=reference.shape).astype(np.float32)
    box = ((2, 28), (2, 8), (3, 9))[-image.ndim :]
    geometry = Geometry(image.shape, (2.5, 0.7, 0.8)[-image.ndim :], (1.0,) * image.ndim, direction(image.ndim), ())
    return make_preview(image, reference, box, None), geometry


def direction(axes: int) -> tuple[float, ...]:
    return tuple(float(v) for v in -np.eye(axes).ravel())


def test_slices_and_grid_come_back_from_the_file_and_equal_ones_give_equal_bytes(made, tmp_path):
    preview, geometry = made
    for name in "ab":
        write_preview(tmp_path / f"{name}.npz", preview, geometry)
    found, grid = read_preview(tmp_path / "a.npz")
    assert grid == geometry
    assert (found.index, found.box) == (preview.index, preview.box)
    assert np.array_equal(found.image, preview.image)
    assert np.array_equal(found.labels, preview.labels)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def rewritten(path, **changes) -> None:
    """Write the archive again with other members."""
    with np.load(path) as arrays:
        members = {**arrays, **changes}
    np.savez(path, **members)


def test_a_hostile_archive_executes_nothing_and_fills_no_memory(made, tmp_path):
    path = tmp_path / "a.npz"
    write_preview(path, *made)
    rewritten(path, image=np.array([Trap(tmp_path / "executed")], object))
    with pytest.raises(DataError, match=r"a\.npz holds no slices of a case \(Object arrays"):
        read_preview(path)
    assert not (tmp_path / "executed").exists()
    path.write_bytes(pickle.dumps(Trap(tmp_path / "executed")))
    with pytest.raises(DataError, match="holds no slices of a case"):
        read_preview(path)
    assert not (tmp_path / "executed").exists()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("image.npy", bytes(300 * 1024 * 1024))
    assert path.stat().st_size < 1e6
    with pytest.raises(DataError, match="314,572,800 bytes, more than any slices take"):
        read_preview(path)


def place(preview, geometry, **changes) -> np.ndarray:
    content = {"index": preview.index, "box": preview.box, "native": geometry.to_json(), **changes}
    return np.frombuffer(json.dumps(content).encode(), np.uint8)


def test_slices_that_do_not_fit_together_are_refused(made, tmp_path):
    preview, geometry = made
    (first, stop), columns = preview.box
    wrong = [
        {"image": preview.image.astype(np.float32)},
        {"labels": preview.labels[:, 1:]},
        {"description": place(preview, geometry, index=[40] * len(preview.index))},
        {"description": place(preview, geometry, box=[[first + 40, stop + 40], columns])},
        {"description": place(preview, geometry, box=[[first, stop]])},
        {"description": np.frombuffer(b"{" * 100_000, np.uint8)},
        {"description": np.frombuffer(b"[]", np.uint8)},
    ]
    for change in wrong:
        write_preview(tmp_path / "a.npz", preview, geometry)
        rewritten(tmp_path / "a.npz", **change)
        with pytest.raises(DataError, match=r"holds no slices of a case .*; remove it, and the report shows none"):
            read_preview(tmp_path / "a.npz")
    stream = io.BytesIO()
    np.savez(stream, image=preview.image)
    (tmp_path / "a.npz").write_bytes(stream.getvalue())
    with pytest.raises(DataError, match="holds no slices"):
        read_preview(tmp_path / "a.npz")
