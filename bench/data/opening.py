"""Open one image file of whatever kind: its voxels as they are stored and its grid. The one place that opens images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.nifti import BrokenNiftiError, check_nifti, is_nifti
from bench.data.volume import Geometry


class UnusableFileError(ValueError):
    """A file that is no image of a case; the message is the cause alone, `rule` the name of the check it fails."""

    def __init__(self, cause: str, rule: str = "unreadable") -> None:
        super().__init__(cause)
        self.rule = rule


@dataclass(frozen=True)
class Opened:
    """One file.

    voxels    (C, *S) in the file's own type.
    geometry  of one channel.
    hidden    voxels of NaN or infinity in the file that the reader replaced by 0.
    shear     largest deviation of the direction cosines from orthonormal ones, where they had to be replaced; else 0.
    """

    voxels: npt.NDArray[Any]
    geometry: Geometry
    hidden: int = 0
    shear: float = 0.0


def open_image(path: Path, channels: int | None = None) -> Opened:
    """Read a file.

    Direction cosines that are not orthonormal, which SimpleITK refuses, are read through nibabel and replaced by the
    nearest orthonormal ones.

    Args:
        channels: declared number of channels; only then the last axis of a 4D file is taken as channels.

    Raises:
        UnusableFileError: missing, unreadable, damaged, or with another number of axes than 2 or 3.
    """
    import SimpleITK as sitk  # noqa: N813

    try:
        if not path.is_file():
            raise UnusableFileError("there is no such file")
        hidden = check_nifti(path) if is_nifti(path) else 0
        image = sitk.ReadImage(str(path))
    except BrokenNiftiError as error:
        raise UnusableFileError(str(error), error.rule) from error
    except (RuntimeError, OSError) as error:
        if is_nifti(path) and "orthonormal" in str(error):
            return _through_nibabel(path, hidden, channels)
        raise UnusableFileError(_cause(error)) from error
    voxels, components = sitk.GetArrayFromImage(image), image.GetNumberOfComponentsPerPixel()
    axes = image.GetDimension()
    if components > 1:
        voxels = np.ascontiguousarray(np.moveaxis(voxels, -1, 0))
    elif axes != 4:
        voxels = voxels[np.newaxis]
    _refuse_axes(axes + (axes == 4 and components > 1), voxels.shape, image.GetSize(), channels)
    n = min(axes, 3)
    direction = np.reshape(image.GetDirection(), (axes, axes))[:n, :n]
    return Opened(
        voxels,
        Geometry(
            tuple(voxels.shape[1:]),
            tuple(image.GetSpacing()[:n][::-1]),
            tuple(image.GetOrigin()[:n]),
            tuple(float(cosine) for cosine in direction.ravel()),
        ),
        hidden,
    )


def _refuse_axes(axes: int, stored: tuple[int, ...], size: tuple[int, ...], channels: int | None) -> None:
    """Raise unless there are 2 or 3 axes, or a fourth that is declared to be the channels."""
    if axes in (2, 3):
        return
    if axes == 4 and channels is not None:
        if stored[0] == channels:
            return
        raise UnusableFileError(
            f"the fourth axis has {stored[0]} entries, but {channels} channels are declared", "axes"
        )
    raise UnusableFileError(
        f"the file has {axes} axes of sizes {size} (x, y, z, …); expected 2 or 3: give one file per channel or time "
        f"point, or declare the channels (format decathlon)",
        "axes",
    )


def _through_nibabel(path: Path, hidden: int, channels: int | None) -> Opened:
    """For grids that are sheared: spacing is the length of the affine's columns, direction the nearest rotation."""
    import nibabel

    image = nibabel.load(path)
    stored = np.asanyarray(image.dataobj)
    _refuse_axes(stored.ndim, stored.T.shape, stored.shape, channels)
    voxels = np.ascontiguousarray(stored.T if stored.ndim == 4 else stored.T[np.newaxis])
    n = min(stored.ndim, 3)
    affine = np.diag((-1.0, -1.0, 1.0, 1.0)) @ image.affine  # from nibabel's frame (right, anterior) to ITK's
    spacing = np.linalg.norm(affine[:n, :n], axis=0)
    if not (np.isfinite(affine).all() and (spacing > 0).all()):
        raise UnusableFileError(f"the affine {image.affine.tolist()} spans no volume", "spacing")
    given = affine[:n, :n] / spacing
    left, _, right = np.linalg.svd(given)
    nearest = left @ right
    return Opened(
        voxels,
        Geometry(
            tuple(voxels.shape[1:]),
            tuple(float(s) for s in spacing[::-1]),
            tuple(float(o) for o in affine[:n, 3]),
            tuple(float(cosine) for cosine in nearest.ravel()),
        ),
        hidden,
        float(np.abs(given - nearest).max()),
    )


def _cause(error: Exception) -> str:
    """The last line of an ITK message, which is the one that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("sitk::ERROR: ") if lines else type(error).__name__
