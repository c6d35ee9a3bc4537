"""Read image and label files into arrays, and refuse what cannot be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.opening import Opened, UnusableFileError, open_image
from bench.data.orientation import canonical_geometry, orientation_of, to_canonical
from bench.data.volume import Geometry, Volume
from bench.errors import DataError

SPACING_TOLERANCE_MM = 1e-3
FRAME_TOLERANCE = 1e-3
"""Largest difference of origin (mm) and direction cosines between image and label that goes unmentioned."""
LABEL_TOLERANCE = 1e-3


def read_volume(case: str, images: Sequence[Path], label: Path | None = None, channels: int | None = None) -> Volume:
    """Read the channels of a case and, where given, its label.

    Args:
        case: id of the case, for messages.
        images: files of one grid; each gives one channel, one per component (RGB), or all that are declared (4D).
        label: file of integers on the same grid.
        channels: declared number of channels of the case; without it a 4D file is refused.

    Returns:
        image (C, *S) float32 and labels (*S) int16 with the geometry of the first image, turned by whole axes so that
        (z, y, x) run towards head, back and left; `geometry.stored` is how they lie in the file.

    Raises:
        DataError: a file is unreadable or damaged, an image has NaN or infinite voxels, a label is not an integer,
            shapes or spacings (beyond 1e-3 mm) differ, or channels are missing. A different origin or direction is a
            note, as in nnU-Net.
    """
    parts, geometry, notes = [], None, []
    for path in images:
        opened = _open(case, path, channels if len(images) == 1 else None)
        parts.append(_image(case, path, opened))
        notes += _sheared(path, opened)
        if geometry is None:
            geometry = opened.geometry
        else:
            notes += compare(case, (images[0], geometry), (path, opened.geometry))
    labels = None
    if label is not None:
        opened = _open(case, label)
        labels = _labels(case, label, opened)
        notes += _sheared(label, opened)
        if geometry is None:
            geometry = opened.geometry
        else:
            notes += compare(case, (images[0], geometry), (label, opened.geometry))
    if geometry is None:
        raise DataError(f"case {case}: neither an image nor a label file is named")
    found = sum(map(len, parts))
    if channels is not None and found != channels:
        raise DataError(
            f"case {case}: {found} channels in {', '.join(map(str, images))}, but {channels} are declared "
            f"(channel_names or modality in dataset.json)"
        )
    image = None if not parts else parts[0] if len(parts) == 1 else np.concatenate(parts)
    return _turned(image, labels, geometry, tuple(notes))


def _turned(
    image: npt.NDArray[np.float32] | None,
    labels: npt.NDArray[np.int16] | None,
    geometry: Geometry,
    notes: tuple[str, ...],
) -> Volume:
    """The volume in the canonical frame. All files turn with the first, whose grid they share voxel by voxel."""
    orientation = orientation_of(geometry.direction)
    if orientation.canonical:
        return Volume(image, labels, geometry, notes)
    return Volume(
        None if image is None else np.ascontiguousarray(to_canonical(image, orientation)),
        None if labels is None else np.ascontiguousarray(to_canonical(labels, orientation)),
        replace(canonical_geometry(geometry, orientation), stored=orientation.code),
        notes,
    )


def read_image(case: str, path: Path) -> tuple[npt.NDArray[np.float32], Geometry]:
    """One file as (C, *S) float32, axes as stored; C is 1 but for files with several components per voxel."""
    opened = _open(case, path)
    return _image(case, path, opened), opened.geometry


def read_labels(case: str, path: Path) -> tuple[npt.NDArray[np.int16], Geometry]:
    """One file as (*S) int16, axes as stored.

    Values within 1e-3 of an integer are rounded, any other is an error that lists them.
    """
    opened = _open(case, path)
    return _labels(case, path, opened), opened.geometry


def _image(case: str, path: Path, opened: Opened) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is refused as such
        image = opened.voxels.astype(np.float32, copy=False)
    bad = opened.hidden or int(image.size - np.count_nonzero(np.isfinite(image)))
    if bad:
        raise DataError(
            f"case {case}: image {path} has {bad} of {image.size} voxels that are NaN or infinite; "
            f"repair the file or leave the case out"
        )
    return image


def _labels(case: str, path: Path, opened: Opened) -> npt.NDArray[np.int16]:
    array: npt.NDArray[Any] = opened.voxels
    if opened.hidden:
        raise DataError(
            f"case {case}: label {path} has {opened.hidden} of {array.size} voxels that are NaN or infinite"
        )
    if len(array) != 1:
        raise DataError(f"case {case}: label {path} has {len(array)} components per voxel, expected one integer")
    values = array[0]
    if not np.issubdtype(values.dtype, np.integer):
        # NaN fails the comparison, so it is listed too.
        rounded = np.rint(values)
        wrong = values[~(np.abs(values - rounded) <= LABEL_TOLERANCE)]
        if wrong.size:
            raise DataError(
                f"case {case}: label {path} has {wrong.size} voxels that are no integers ({_some(wrong)}); "
                f"expected class numbers"
            )
        values = rounded
    limits = np.iinfo(np.int16)
    outside = values[(values < limits.min) | (values > limits.max)]
    if outside.size:
        raise DataError(f"case {case}: label {path} has values outside [{limits.min}, {limits.max}]: {_some(outside)}")
    integers: npt.NDArray[np.int16] = values.astype(np.int16)
    return integers


def _sheared(path: Path, opened: Opened) -> list[str]:
    if not opened.shear:
        return []
    return [
        f"the direction cosines of {path.name} are not orthonormal (off by {opened.shear:.2g}); read with nibabel and "
        f"replaced by the nearest orthonormal ones"
    ]


def compare(case: str, first: tuple[Path, Geometry], second: tuple[Path, Geometry]) -> list[str]:
    """Compare the grids of two files of a case; a differing shape or spacing is an error, a differing frame a note."""
    (path, a), (other, b) = first, second
    files = f"{path} and {other}"
    if a.shape != b.shape:
        raise DataError(f"case {case}: shapes differ: {a.shape} and {b.shape} in {files}; expected one grid")
    if not np.allclose(a.spacing_mm, b.spacing_mm, rtol=0, atol=SPACING_TOLERANCE_MM):
        raise DataError(
            f"case {case}: spacings differ: {a.spacing_mm} and {b.spacing_mm} mm in {files}; expected one grid"
        )
    notes = []
    for name, u, v in (("origins", a.origin, b.origin), ("directions", a.direction, b.direction)):
        if not np.allclose(u, v, rtol=0, atol=FRAME_TOLERANCE):
            notes.append(f"{name} differ: {u} in {path.name}, {v} in {other.name}; taken as the same grid")
    return notes


def _open(case: str, path: Path, channels: int | None = None) -> Opened:
    try:
        return open_image(path, channels)
    except UnusableFileError as error:
        raise DataError(f"case {case}: cannot read {path}: {error}") from error


def _some(values: npt.NDArray[Any]) -> str:
    distinct = np.unique(values)
    listed = ", ".join(f"{value:g}" for value in distinct[:8])
    return f"{listed}, … {distinct.size} values" if distinct.size > 8 else listed
