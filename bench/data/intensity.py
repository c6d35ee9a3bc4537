"""From measured intensities to the numbers a network sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.settings import PreprocessingSettings
from bench.errors import DataError

PERCENTILES = (0.5, 99.5)
LARGEST_HALF = 65504.0
SMALLEST_NORMAL_HALF = 2.0**-14


def normalised(
    image: npt.NDArray[np.float32], region: npt.NDArray[np.bool_] | None, settings: PreprocessingSettings
) -> tuple[npt.NDArray[np.float32], list[dict[str, Any]], list[str]]:
    """Apply window and normalisation to an image (C, *S), each channel by itself.

    Args:
        region: voxels (*S) that mean, deviation and percentiles are taken over; None: all.

    Returns:
        A new image, what was measured per channel, and notes: a channel that is constant in the region becomes 0.
    """
    result, measured, notes = np.empty_like(image), [], []
    for index, channel in enumerate(image):
        if settings.window is not None:
            channel = _unit_range(channel, *settings.window)
        facts: dict[str, Any] = {}
        if settings.normalise != "none":
            values = channel[region] if region is not None else channel
            low, spread, facts = _standard(values) if settings.normalise == "zscore" else _percentiles(values)
            if not spread > 0:
                notes.append(f"channel {index} of the image is constant ({low:g}) and becomes 0")
                channel = np.zeros_like(channel)
            elif settings.normalise == "zscore":
                channel = ((channel - low) / spread).astype(np.float32)
            else:
                channel = _unit_range(channel, low, low + spread)
        result[index] = channel
        measured.append(facts)
    return result, measured, notes


def stored_as(image: npt.NDArray[np.float32], dtype: str) -> npt.NDArray[np.floating[Any]]:
    """The image with the floating-point type that it is stored with.

    Raises:
        DataError: it holds values beyond the range of float16, or none that float16 keeps three digits of.
    """
    if dtype == "float32":
        return image
    low, high = float(image.min()), float(image.max())
    if max(-low, high) > LARGEST_HALF or 0 < max(-low, high) < SMALLEST_NORMAL_HALF:
        raise DataError(
            f"prepared intensities from {low:g} to {high:g} do not fit into float16, whose magnitudes go from "
            f"{SMALLEST_NORMAL_HALF:.1e} to {LARGEST_HALF:g}; set preprocessing.window or normalise, or "
            "preprocessing.image_dtype: float32"
        )
    return image.astype(np.float16)


def _unit_range(image: npt.NDArray[np.float32], low: float, high: float) -> npt.NDArray[np.float32]:
    scaled = (image - np.float32(low)) / np.float32(high - low)
    return np.clip(scaled, 0, 1, out=scaled)


def _standard(values: npt.NDArray[np.float32]) -> tuple[float, float, dict[str, Any]]:
    mean, deviation = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
    # Rounding leaves a tiny deviation in a constant image of large values.
    spread = deviation if deviation > 1e-6 * abs(mean) else 0.0
    return mean, spread, {"mean": mean, "standard_deviation": deviation}


def _percentiles(values: npt.NDArray[np.float32]) -> tuple[float, float, dict[str, Any]]:
    low, high = (float(v) for v in np.percentile(values, PERCENTILES))
    return low, high - low, {f"percentile_{p}": v for p, v in zip(PERCENTILES, (low, high), strict=True)}
