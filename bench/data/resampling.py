"""Interpolate arrays from one grid to another of the same volume."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bench.data.geometry import ROUNDING, Box, Placement, slices, widen

Interpolation = Literal["nearest", "linear", "cubic"]

HALO = 16
"""Native voxels read beyond the box: the weight of a voxel so far away in a cubic B-spline is below 1e-9."""


def to_prepared(array: npt.NDArray[Any], placement: Placement, how: Interpolation) -> npt.NDArray[Any]:
    """Bring a native array (*S) into the prepared grid; a copy, exact when nothing is resampled.

    Beyond the last voxel centre the nearest voxel's value is taken. A voxel halfway between two belongs to the later.
    """
    if not placement.resampled:
        return np.array(array[slices(placement.box)])
    if how == "nearest":
        return array[np.ix_(*_nearest(placement))]
    source = widen(placement.native_box, (HALO,) * array.ndim, placement.native.shape)
    return _resample(
        array[slices(source)],
        (placement.native.spacing_mm, source),
        (placement.grid.spacing_mm, placement.box),
        how,
    )


def to_native(array: npt.NDArray[Any], placement: Placement) -> npt.NDArray[Any]:
    """Bring a prepared array (*S) linearly into `placement.native_box`; a view when nothing was resampled."""
    if not placement.resampled:
        return array
    return _resample(
        array,
        (placement.grid.spacing_mm, placement.box),
        (placement.native.spacing_mm, placement.native_box),
        "linear",
    )


def _resample(
    array: npt.NDArray[Any],
    source: tuple[tuple[float, ...], Box],
    target: tuple[tuple[float, ...], Box],
    how: Literal["linear", "cubic"],
) -> npt.NDArray[Any]:
    """Interpolate in the volume's own frame: millimetres from its outer edge along its axes."""
    import SimpleITK as sitk  # noqa: N813

    interpolators = {"linear": sitk.sitkLinear, "cubic": sitk.sitkBSpline3}
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(source[0][::-1])
    image.SetOrigin(_first_centre(*source))
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize([stop - first for first, stop in target[1]][::-1])
    resampler.SetOutputSpacing(target[0][::-1])
    resampler.SetOutputOrigin(_first_centre(*target))
    resampler.SetOutputDirection(image.GetDirection())
    resampler.SetInterpolator(interpolators[how])
    resampler.UseNearestNeighborExtrapolatorOn()
    result: npt.NDArray[Any] = sitk.GetArrayFromImage(resampler.Execute(image))
    return result


def _nearest(placement: Placement) -> list[npt.NDArray[np.intp]]:
    """For each axis the native voxel in which each prepared voxel's centre lies.

    Not left to ITK: where a centre falls between two voxels, as all do when the spacing is doubled, its rounding errors
    would choose the neighbour.
    """
    return [
        np.minimum(np.floor((np.arange(first, stop) + 0.5) * t / s + ROUNDING).astype(np.intp), n - 1)
        for (first, stop), t, s, n in zip(
            placement.box, placement.grid.spacing_mm, placement.native.spacing_mm, placement.native.shape, strict=True
        )
    ]


def _first_centre(spacing_mm: tuple[float, ...], box: Box) -> list[float]:
    """Centre of the first voxel in millimetres from the volume's outer edge, in (x, y, z) order."""
    return [(first + 0.5) * s for (first, _), s in zip(box, spacing_mm, strict=True)][::-1]
