"""A few native slices of a case, small enough to keep with a run, for the pictures of a report."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bench.data.geometry import Box, box_from_json, slices
from bench.data.volume import Geometry
from bench.errors import DataError
from bench.files.atomic import write_bytes

SLICES = 3
MAX_BYTES = 256 * 1024 * 1024
"""Uncompressed; five slices of 512 × 512 are 2.5 MiB."""

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, ArithmeticError, EOFError, RecursionError, zipfile.BadZipFile)


@dataclass(frozen=True)
class KeptLesion:
    """A lesion of the reference whose slice of largest area is kept.

    number  its class.
    voxels  of the whole lesion.
    place   position of its slice among those of the preview.
    box     rows and columns of the lesion in that slice, counted from those shown.
    """

    number: int
    voxels: int
    place: int
    box: Box


@dataclass(frozen=True)
class Preview:
    """Slices along the first axis, cut to the prepared box; a predicted mask is cut with `index` and `box` to match.

    index    slice numbers on the native grid, the one with the largest target area first; (0,) for a 2D image.
    box      native rows and columns that are shown.
    image    (n, H, W) uint8, first channel; the suite's window, else the 0.5th to 99.5th percentile of the slices.
    labels   (n, H, W) int8 classes; 0 everywhere without reference.
    lesions  the case's largest lesion, then its smallest; without one whose own slice is not kept.
    """

    index: tuple[int, ...]
    box: Box
    image: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int8]
    lesions: tuple[KeptLesion, ...] = ()


def make_preview(
    image: npt.NDArray[np.float32],
    reference: npt.NDArray[np.int8] | None,
    box: Box,
    window: tuple[float, float] | None,
) -> Preview:
    """Cut the preview of a native channel (*S), 2D or 3D.

    The slices are those of the largest target area in each third of the target's extent, and those in which the case's
    largest and its smallest lesion have their largest area; the middle slice of the box where there is no target.
    """
    if reference is None:
        reference = np.zeros(image.shape, np.int8)
    if image.ndim == 2:
        image, reference, box = image[np.newaxis], reference[np.newaxis], ((0, 1), *box)
    first = box[0][0]
    kept = reference[slices(box)]
    by_area = [first + i for i in _chosen(np.count_nonzero(kept > 0, axis=(1, 2)))]
    lesions = list(_extremes(reference, box[1:]))
    index = tuple(dict.fromkeys([*by_area, *(plane for plane, _ in lesions)]))
    rows, columns = slices(box[1:])
    shown = np.stack([image[i, rows, columns] for i in index])
    # Grey levels come from the slices of the largest areas alone: they shall not depend on how many lesions there are.
    low, high = window or (float(v) for v in np.percentile(shown[: len(by_area)], (0.5, 99.5)))
    scaled = (shown - low) / (high - low if high > low else 1.0)
    grey = np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    labels = np.stack([reference[i, rows, columns] for i in index])
    return Preview(index, box[1:], grey, labels, _kept(lesions, index))


def with_lesions(preview: Preview, reference: npt.NDArray[np.int8]) -> Preview:
    """The preview with the places of the largest and the smallest lesion of a native reference (*S).

    A lesion whose slice of largest area is not among those kept is left out: a case may have been prepared before
    these slices were.
    """
    volume = reference if reference.ndim == 3 else reference[np.newaxis]
    return replace(preview, lesions=_kept(_extremes(volume, preview.box), preview.index))


def write_preview(path: Path, preview: Preview, native: Geometry) -> None:
    """Write a preview and its case's native grid as one compressed `.npz`; equal ones give equal bytes.

    Raises:
        StorageError: it cannot be written.
    """
    lesions = [asdict(lesion) for lesion in preview.lesions]
    place = {"index": preview.index, "box": preview.box, "native": native.to_json(), "lesions": lesions}
    description = np.frombuffer(json.dumps(place).encode(), np.uint8)
    stream = io.BytesIO()
    np.savez_compressed(stream, image=preview.image, labels=preview.labels, description=description)
    write_bytes(path, stream.getvalue())


def read_preview(path: Path) -> tuple[Preview, Geometry]:
    """Read a preview back, with its case's native grid. Nothing in the file can execute or exhaust the memory.

    Raises:
        DataError: it is not one.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise ValueError(f"{size:,} bytes, more than any slices take")
        with np.load(path, allow_pickle=False) as arrays:
            image, labels = arrays["image"], arrays["labels"]
            place = json.loads(arrays["description"].tobytes())
        index, box, native = tuple(map(int, place["index"])), box_from_json(place["box"]), place["native"]
        # Files of earlier versions have no places of lesions.
        preview = Preview(index, box, image, labels, tuple(map(_lesion_from_json, place.get("lesions", ()))))
        native = Geometry.from_json(native)
        _check(preview, native)
    except _UNREADABLE as error:
        raise DataError(f"{path} holds no slices of a case ({error}); remove it, and the report shows none") from error
    return preview, native


def _check(preview: Preview, native: Geometry) -> None:
    shape = (len(preview.index), *(stop - first for first, stop in preview.box))
    if len(shape) != 3 or not shape[0]:
        raise ValueError(f"slices of shape {shape}")
    for name, array, dtype in (("image", preview.image, np.uint8), ("labels", preview.labels, np.int8)):
        if array.dtype != dtype or array.shape != shape:
            raise ValueError(f"{name} of {array.dtype} {array.shape}, expected {np.dtype(dtype)} {shape}")
    volume = native.shape if len(native.shape) == 3 else (1, *native.shape)
    inside = all(0 <= first < stop <= extent for (first, stop), extent in zip(preview.box, volume[1:], strict=True))
    if not inside or not all(0 <= number < volume[0] for number in preview.index):
        raise ValueError(f"slices {preview.index}, rows and columns {preview.box} of a volume of {volume}")
    for lesion in preview.lesions:
        within = all(0 <= first < stop <= extent for (first, stop), extent in zip(lesion.box, shape[1:], strict=True))
        if not within or not 0 <= lesion.place < shape[0]:
            raise ValueError(f"a lesion at {lesion.box} of slice {lesion.place} among slices of shape {shape}")


def _lesion_from_json(value: Any) -> KeptLesion:
    return KeptLesion(int(value["number"]), int(value["voxels"]), int(value["place"]), box_from_json(value["box"]))


def _chosen(area: npt.NDArray[np.intp]) -> list[int]:
    occupied = np.flatnonzero(area)
    if not occupied.size:
        return [len(area) // 2]
    extent = np.arange(occupied[0], occupied[-1] + 1)
    thirds = [third for third in np.array_split(extent, SLICES) if third.size and area[third].any()]
    best = [int(third[np.argmax(area[third])]) for third in thirds]
    return sorted(best, key=lambda i: -int(area[i]))


def _kept(lesions: Iterable[tuple[int, KeptLesion]], index: tuple[int, ...]) -> tuple[KeptLesion, ...]:
    """The lesions whose slices are among those of the index, each with the place of its slice."""
    return tuple(replace(lesion, place=index.index(plane)) for plane, lesion in lesions if plane in index)


def _extremes(volume: npt.NDArray[np.int8], box: Box) -> Iterator[tuple[int, KeptLesion]]:
    """The largest and the smallest lesion of a reference (D, H, W), or the only one, as far as the box shows any of it.

    Each comes with the slice in which the largest area of it is shown, and the rows and columns that it has there.
    """
    lesions = _lesions(volume)
    if not lesions:
        return
    largest, smallest = max(lesions, key=lambda one: one.voxels), min(lesions, key=lambda one: one.voxels)
    for lesion in (largest,) if largest is smallest else (largest, smallest):
        (top, bottom), (left, right) = box
        _, row, column = lesion.start
        shown = lesion.mask[:, max(top - row, 0) : max(bottom - row, 0), max(left - column, 0) : max(right - column, 0)]
        area = np.count_nonzero(shown, axis=(1, 2))
        if area.any():
            plane = int(area.argmax())
            rows = _span(shown[plane].any(axis=1), max(row - top, 0))
            columns = _span(shown[plane].any(axis=0), max(column - left, 0))
            yield lesion.start[0] + plane, KeptLesion(lesion.number, lesion.voxels, 0, (rows, columns))


def _span(taken: npt.NDArray[np.bool_], start: int) -> tuple[int, int]:
    places = np.flatnonzero(taken)
    return start + int(places[0]), start + int(places[-1]) + 1


class _Lesion(NamedTuple):
    """Class, size, and where it is: a mask that begins at a voxel of the volume."""

    number: int
    voxels: int
    start: tuple[int, int, int]
    mask: npt.NDArray[np.bool_]


def _lesions(volume: npt.NDArray[np.int8]) -> list[_Lesion]:
    """The largest and the smallest lesion of each class, connected as those that are scored."""
    from scipy import ndimage

    found = []
    for number, part in enumerate(ndimage.find_objects(np.maximum(volume, 0)), start=1):
        if part is None:
            continue
        labels, count = ndimage.label(volume[part] == number, structure=np.ones((3, 3, 3)))
        # Slice by slice: counting makes a copy of eight bytes a voxel.
        counts = np.zeros(count + 1, np.int64)
        for plane in labels:
            counts += np.bincount(plane.ravel(), minlength=count + 1)
        sizes = counts[1:]
        boxes = ndimage.find_objects(labels)
        for one in dict.fromkeys((int(sizes.argmax()), int(sizes.argmin()))):
            z, y, x = (outer.start + inner.start for outer, inner in zip(part, boxes[one], strict=True))
            found.append(_Lesion(number, int(sizes[one]), (z, y, x), labels[boxes[one]] == one + 1))
    return found
