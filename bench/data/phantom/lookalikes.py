"""Benign look-alikes: cysts, haemangioma-like lesions and fatty areas. They are liver (label 1), never tumour."""

from __future__ import annotations

import numpy as np

from bench.data.phantom.grid import Field, ramp
from bench.data.phantom.lesions import Lesion, LesionMaker

_CYSTS, _CYST_MM3, _CYST_HU, _CYST_EDGE_MM = 1.5, (220.0, 0.7), (0.0, 55.0), 1.0
_HAEMANGIOMAS, _HAEMANGIOMA_MM3 = 2.5, (1800.0, 0.7)
_RIMMED_SHARE, _RIM_MM, _BRIGHT_HU, _HAEMANGIOMA_EDGE_MM = 0.7, 3.0, (35.0, 65.0), 1.5
_FATTY_AREAS, _FATTY_MM3, _FATTY_HU, _FATTY_EDGE_MM = 2.0, (1400.0, 0.6), (10.0, 25.0), (7.0, 12.0)
_BOUNDS_MM3 = (90.0, 15_000.0)


def make_lookalikes(rng: np.random.Generator, maker: LesionMaker, tumour_hu: float) -> list[Lesion]:
    """Draw the look-alikes of one case: Poisson(1.5) cysts, Poisson(2.5) haemangioma-like, Poisson(2) fatty areas."""
    counts = [int(rng.poisson(mean)) for mean in (_FATTY_AREAS, _HAEMANGIOMAS, _CYSTS)]
    drawn = [_fatty_area(rng, maker) for _ in range(counts[0])]
    drawn += [_haemangioma(rng, maker, tumour_hu) for _ in range(counts[1])]
    drawn += [_cyst(rng, maker) for _ in range(counts[2])]
    return [lesion for lesion in drawn if lesion is not None]


def _cyst(rng: np.random.Generator, maker: LesionMaker) -> Lesion | None:
    """Dark, homogeneous, sharp-edged and nearly round."""
    shape = maker.shape(rng, _volume(rng, _CYST_MM3), elongation=0.06)
    hu = float(rng.uniform(*_CYST_HU))
    return None if shape is None else Lesion(shape[0], shape[1], _CYST_EDGE_MM, hu)


def _haemangioma(rng: np.random.Generator, maker: LesionMaker, tumour_hu: float) -> Lesion | None:
    """Solid bright, or a bright rim of 3 mm around a centre with the HU of the case's tumours."""
    shape = maker.shape(rng, _volume(rng, _HAEMANGIOMA_MM3), elongation=0.12)
    rimmed = rng.uniform() < _RIMMED_SHARE
    bright = maker.organ.mean_hu + float(rng.uniform(*_BRIGHT_HU))
    if shape is None:
        return None
    window, distance = shape
    hu: Field | float = bright
    if rimmed:
        centre = ramp(distance + np.float32(_RIM_MM), _HAEMANGIOMA_EDGE_MM)
        hu = np.float32(bright) + centre * np.float32(tumour_hu - bright)
    return Lesion(window, distance, _HAEMANGIOMA_EDGE_MM, hu)


def _fatty_area(rng: np.random.Generator, maker: LesionMaker) -> Lesion | None:
    """A little darker than the liver, without an edge."""
    shape = maker.shape(rng, _volume(rng, _FATTY_MM3), elongation=0.3)
    hu = maker.organ.mean_hu - float(rng.uniform(*_FATTY_HU))
    edge = float(rng.uniform(*_FATTY_EDGE_MM))
    return None if shape is None else Lesion(shape[0], shape[1], edge, hu)


def _volume(rng: np.random.Generator, median_and_log_sd: tuple[float, float]) -> float:
    median, log_sd = median_and_log_sd
    return float(np.clip(median * np.exp(log_sd * rng.standard_normal()), *_BOUNDS_MM3))
