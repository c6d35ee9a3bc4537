from __future__ import annotations

import io
import json
import pickle
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from bench.data.preview import make_preview, read_preview, with_lesions, write_preview
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


def with_a_small_lesion() -> tuple[np.ndarray, np.ndarray]:
    """Image and reference: a large lesion, and one of 2 + 3 voxels in a slice that has less target than another."""
    reference = np.zeros((30, 8, 9), np.int8)
    reference[4:20, :4, :4] = 1
    reference[5, :5, :5], reference[10, :6, :5] = 1, 1
    reference[6, 7, 5:7], reference[7, 7, 6:9] = 2, 2
    return np.random.default_rng(0).normal(size=reference.shape).astype(np.float32), reference


def test_the_slices_in_which_the_largest_and_the_smallest_lesion_are_largest_are_kept_too():
    preview = make_preview(*with_a_small_lesion(), WHOLE, None)
    assert preview.index[0] == 10
    assert preview.index[3:] == (7,)
    large, small = preview.lesions
    assert (large.number, large.voxels, preview.index[large.place]) == (1, 279, 10)
    assert (small.number, small.voxels, preview.index[small.place]) == (2, 5, 7)
    assert (preview.labels[large.place] == 1)[:6, :5].all()
    assert large.box == ((0, 6), (0, 5))
    assert small.box == ((7, 8), (6, 9))


def test_slices_of_lesions_change_no_grey_level_of_the_others():
    image, reference = with_a_small_lesion()
    image[7] += 1000
    many, few = (make_preview(image, labels, WHOLE, None) for labels in (reference, reference * (reference == 1)))
    assert len(many.index) == len(few.index) + 1
    assert np.array_equal(many.image[:-1], few.image)


def test_lesions_touch_at_corners_and_the_only_one_is_named_once():
    reference = np.zeros((30, 8, 9), np.int8)
    reference[3, 2, 2] = reference[4, 3, 3] = reference[4, 4, 4] = 1
    (lesion,) = make_preview(np.zeros(reference.shape, np.float32), reference, WHOLE, None).lesions
    assert (lesion.voxels, lesion.box) == (3, ((3, 5), (3, 5)))


def test_a_lesion_is_placed_among_the_rows_and_columns_shown_and_left_out_where_none_of_it_is():
    image, reference = with_a_small_lesion()
    large, small = make_preview(image, reference, ((0, 30), (2, 8), (2, 9)), None).lesions
    assert (large.box, large.voxels) == (((0, 4), (0, 3)), 279)
    assert small.box == ((5, 6), (4, 7))
    (large,) = make_preview(image, reference, ((0, 30), (0, 6), (0, 9)), None).lesions
    assert large.number == 1


def test_slices_kept_by_an_earlier_version_name_the_lesions_that_they_show_at_their_largest():
    image, reference = with_a_small_lesion()
    whole = make_preview(image, reference, WHOLE, None)
    earlier = replace(whole, index=whole.index[:-1], image=whole.image[:-1], labels=whole.labels[:-1], lesions=())
    assert with_lesions(earlier, reference).lesions == whole.lesions[:1]
    assert with_lesions(replace(whole, lesions=()), reference).lesions == whole.lesions


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
    assert (found.index, found.box, found.lesions) == (preview.index, preview.box, preview.lesions)
    assert len(found.lesions) == 1
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


def lesion(**changes) -> dict[str, object]:
    return {"number": 1, "voxels": 5, "place": 0, "box": [[0, 1], [0, 1]], **changes}


def test_a_file_of_an_earlier_version_has_slices_without_lesions(made, tmp_path):
    write_preview(tmp_path / "a.npz", *made)
    rewritten(tmp_path / "a.npz", description=place(*made))
    assert read_preview(tmp_path / "a.npz")[0].lesions == ()


def test_slices_that_do_not_fit_together_are_refused(made, tmp_path):
    preview, geometry = made
    (first, stop), columns = preview.box
    wrong = [
        {"image": preview.image.astype(np.float32)},
        {"labels": preview.labels[:, 1:]},
        {"description": place(preview, geometry, index=[40] * len(preview.index))},
        {"description": place(preview, geometry, box=[[first + 40, stop + 40], columns])},
        {"description": place(preview, geometry, box=[[first, stop]])},
        {"description": place(preview, geometry, lesions=[{"number": 1}])},
        {"description": place(preview, geometry, lesions=[lesion(place=7)])},
        {"description": place(preview, geometry, lesions=[lesion(box=[[0, 1], [3, 99]])])},
        {"description": place(preview, geometry, lesions=[lesion(box=[])])},
        {"description": place(preview, geometry, lesions=[lesion(voxels=float("inf"))])},
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
