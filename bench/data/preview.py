"""A few native slices of a case, small enough to keep with a run, for the pictures of a report."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.data.geometry import Box, box_from_json, slices
from bench.data.volume import Geometry
from bench.errors import DataError
from bench.files.atomic import write_bytes

SLICES = 3
MAX_BYTES = 256 * 1024 * 1024
"""Uncompressed; three slices of 512 × 512 are 1.5 MiB."""


@dataclass(frozen=True)
class Preview:
    """Slices along the first axis, cut to the prepared box; a predicted mask is cut with `index` and `box` to match.

    index   slice numbers on the native grid, the one with the largest target area first; (0,) for a 2D image.
    box     native rows and columns that are shown.
    image   (n, H, W) uint8, first channel; the suite's window, else the 0.5th to 99.5th percentile of the slices.
    labels  (n, H, W) int8 classes; 0 everywhere without reference.
    """

    index: tuple[int, ...]
    box: Box
    image: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int8]


def make_preview(
    image: npt.NDArray[np.float32],
    reference: npt.NDArray[np.int8] | None,
    box: Box,
    window: tuple[float, float] | None,
) -> Preview:
    """Cut the preview of a native channel (*S), 2D or 3D.

    The slices are those of the largest target area in each third of the target's extent; the middle slice of the box
    where there is no target.
    """
    if reference is None:
        reference = np.zeros(image.shape, np.int8)
    if image.ndim == 2:
        image, reference, box = image[np.newaxis], reference[np.newaxis], ((0, 1), *box)
    first = box[0][0]
    kept = reference[slices(box)]
    index = tuple(first + i for i in _chosen(np.count_nonzero(kept > 0, axis=(1, 2))))
    rows, columns = slices(box[1:])
    shown = np.stack([image[i, rows, columns] for i in index])
    low, high = window or (float(v) for v in np.percentile(shown, (0.5, 99.5)))
    scaled = (shown - low) / (high - low if high > low else 1.0)
    grey = np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    labels = np.stack([reference[i, rows, columns] for i in index])
    return Preview(index, box[1:], grey, labels)


def write_preview(path: Path, preview: Preview, native: Geometry) -> None:
    """Write a preview and its case's native grid as one compressed `.npz`; equal ones give equal bytes.

    Raises:
        StorageError: it cannot be written.
    """
    place = {"index": preview.index, "box": preview.box, "native": native.to_json()}
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
        preview = Preview(tuple(map(int, place["index"])), box_from_json(place["box"]), image, labels)
        native = Geometry.from_json(place["native"])
        _check(preview, native)
    except (OSError, ValueError, KeyError, TypeError, EOFError, RecursionError, zipfile.BadZipFile) as error:
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


def _chosen(area: npt.NDArray[np.intp]) -> list[int]:
    occupied = np.flatnonzero(area)
    if not occupied.size:
        return [len(area) // 2]
    extent = np.arange(occupied[0], occupied[-1] + 1)
    thirds = [third for third in np.array_split(extent, SLICES) if third.size and area[third].any()]
    best = [int(third[np.argmax(area[third])]) for third in thirds]
    return sorted(best, key=lambda i: -int(area[i]))
