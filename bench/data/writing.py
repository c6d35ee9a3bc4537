"""Write images and label maps as NIfTI files that are whole or not there."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.nifti import BrokenNiftiError, check_nifti, is_nifti
from bench.data.orientation import as_stored
from bench.data.volume import Geometry
from bench.files.atomic import replacing


def write_labels(path: Path, labels: npt.NDArray[np.integer[Any]], geometry: Geometry) -> None:
    """Write a label map (*S) in the smallest of uint8 and int16 that holds it; `.nii.gz` is compressed.

    The same labels and geometry give the same bytes. A volume that reading turned is turned back, so that the file has
    the axes of the one it was made for.

    Raises:
        StorageError: the disk is full or refuses the file; nothing of it stays.
        ValueError: the shape is not the geometry's, or a value does not fit into int16.
    """
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    kind = next((k for k in (np.uint8, np.int16) if np.iinfo(k).min <= low and high <= np.iinfo(k).max), None)
    if kind is None:
        raise ValueError(f"labels from {low} to {high}: expected int16")
    _write(path, labels.astype(kind), geometry)


def write_image(path: Path, image: npt.NDArray[np.float32], geometry: Geometry) -> None:
    """Write an image (*S) with its own type (float32, int16, …)."""
    _write(path, image, geometry)


def _write(path: Path, array: npt.NDArray[Any], geometry: Geometry) -> None:
    import SimpleITK as sitk  # noqa: N813

    if array.shape != geometry.shape:
        raise ValueError(f"array of shape {array.shape} for a geometry of shape {geometry.shape}")
    array, geometry = as_stored(array, geometry)
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(geometry.spacing_mm[::-1])
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
    with replacing(path, array.nbytes) as temporary:
        temporary.touch()  # so that a folder that refuses files is told by the operating system
        sitk.WriteImage(image, str(temporary), useCompression=path.name.endswith(".gz"))
        _refuse_part(temporary)


def _refuse_part(path: Path) -> None:
    """On a full disk ITK writes a part of a NIfTI file and says nothing; a mask that was cut off must not be kept."""
    if not is_nifti(path):
        return
    try:
        check_nifti(path)
    except BrokenNiftiError as error:
        raise OSError(errno.ENOSPC, f"only a part could be written: {error}") from error
