"""Read image and label files into arrays, and refuse what cannot be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.nifti import BrokenNiftiError, check_nifti, is_nifti
from bench.data.volume import Geometry, Volume
from bench.errors import DataError

SPACING_TOLERANCE_MM = 1e-3
FRAME_TOLERANCE = 1e-3
"""Largest difference of origin (mm) and direction cosines between image and label that goes unmentioned."""
LABEL_TOLERANCE = 1e-3


def read_volume(case: str, images: Sequence[Path], label: Path | None = None) -> Volume:
    """Read the channels of a case and, where given, its label.

    Args:
        case: id of the case, for messages.
        images: files of one grid; each gives one channel, or one per component (RGB).
        label: file of integers on the same grid.

    Returns:
        image (C, *S) float32 and labels (*S) int16 with the geometry of the first image.

    Raises:
        DataError: a file is unreadable or damaged, an image has NaN or infinite voxels, a label is not an integer,
            or shapes or spacings (beyond 1e-3 mm) differ. A different origin or direction is a note, as in nnU-Net.
    """
    channels, geometry, notes = [], None, []
    for path in images:
        channel, found = read_image(case, path)
        channels.append(channel)
        if geometry is None:
            geometry = found
        else:
            notes += compare(case, (images[0], geometry), (path, found))
    labels = None
    if label is not None:
        labels, found = read_labels(case, label)
        if geometry is None:
            geometry = found
        else:
            notes += compare(case, (images[0], geometry), (label, found))
    if geometry is None:
        raise DataError(f"case {case}: neither an image nor a label file is named")
    image = None if not channels else channels[0] if len(channels) == 1 else np.concatenate(channels)
    return Volume(image, labels, geometry, tuple(notes))


def read_image(case: str, path: Path) -> tuple[npt.NDArray[np.float32], Geometry]:
    """One file as (C, *S) float32; C is 1 but for files with several components per voxel."""
    array, geometry, bad = _load(case, path)
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is refused as such
        image = array.astype(np.float32, copy=False)
    bad = bad or int(image.size - np.count_nonzero(np.isfinite(image)))
    if bad:
        raise DataError(
            f"case {case}: image {path} has {bad} of {image.size} voxels that are NaN or infinite; "
            f"repair the file or leave the case out"
        )
    return image, geometry


def read_labels(case: str, path: Path) -> tuple[npt.NDArray[np.int16], Geometry]:
    """One file as (*S) int16; values within 1e-3 of an integer are rounded, any other is an error that lists them."""
    array, geometry, bad = _load(case, path)
    if bad:
        raise DataError(f"case {case}: label {path} has {bad} of {array.size} voxels that are NaN or infinite")
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
    return values.astype(np.int16), geometry


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


def _load(case: str, path: Path) -> tuple[npt.NDArray[Any], Geometry, int]:
    """Voxels (C, *S) in the file's type, geometry, voxels of NaN that ITK hid; the one place where files are opened."""
    import SimpleITK as sitk  # noqa: N813

    try:
        if not path.is_file():
            raise BrokenNiftiError("there is no such file")
        hidden = check_nifti(path) if is_nifti(path) else 0
        image = sitk.ReadImage(str(path))
    except (RuntimeError, OSError, BrokenNiftiError) as error:
        raise DataError(f"case {case}: cannot read {path}: {_cause(error)}") from error
    if image.GetDimension() not in (2, 3):
        raise DataError(
            f"case {case}: {path} has {image.GetDimension()} axes of sizes {image.GetSize()} (x, y, z, …); expected 2 "
            f"or 3: give one file per channel or time point"
        )
    array = sitk.GetArrayFromImage(image)
    components = image.GetNumberOfComponentsPerPixel()
    array = array[np.newaxis] if components == 1 else np.ascontiguousarray(np.moveaxis(array, -1, 0))
    shape, spacing = image.GetSize()[::-1], image.GetSpacing()[::-1]
    return array, Geometry(tuple(shape), tuple(spacing), image.GetOrigin(), image.GetDirection()), hidden


def _cause(error: Exception) -> str:
    """The last line of an ITK message, which is the one that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("sitk::ERROR: ") if lines else type(error).__name__


def _some(values: npt.NDArray[Any]) -> str:
    distinct = np.unique(values)
    listed = ", ".join(f"{value:g}" for value in distinct[:8])
    return f"{listed}, … {distinct.size} values" if distinct.size > 8 else listed
