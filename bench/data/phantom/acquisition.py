"""What the scanner does to the anatomy: blur, then correlated noise, then whole Hounsfield units."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from bench.data.phantom.grid import Field

_BLUR_VOXELS = (0.35, 0.6, 0.6)
_NOISE_HU, _NOISE_SPREAD = 11.0, 0.2
_NOISE_CORRELATION_VOXELS = (0.3, 0.7, 0.7)
_TRUNCATE = 3.0
_HU_RANGE = (-1024, 3071)


def acquire(rng: np.random.Generator, anatomy_hu: Field) -> Field:
    """Return the scan of an anatomy: blur .35/.6/.6 voxel, noise of 11 HU ± 20 %, rounded to whole HU (float32)."""
    sd = _NOISE_HU * float(rng.uniform(1 - _NOISE_SPREAD, 1 + _NOISE_SPREAD))
    white = rng.standard_normal(anatomy_hu.shape, dtype=np.float32)
    noise = _blur(white, _NOISE_CORRELATION_VOXELS) * np.float32(sd / _gain(_NOISE_CORRELATION_VOXELS))
    return np.asarray(np.clip(np.rint(_blur(anatomy_hu, _BLUR_VOXELS) + noise), *_HU_RANGE), dtype=np.float32)


def _blur(field: Field, sigma: tuple[float, ...]) -> Field:
    return np.asarray(ndimage.gaussian_filter(field, sigma, mode="nearest", truncate=_TRUNCATE), dtype=np.float32)


def _gain(sigma: tuple[float, ...]) -> float:
    """Return the standard deviation that the filter leaves of white noise of standard deviation 1."""
    impulse = np.zeros((9,) * len(sigma))
    impulse[(4,) * len(sigma)] = 1
    return float(np.sqrt((ndimage.gaussian_filter(impulse, sigma, truncate=_TRUNCATE) ** 2).sum()))
