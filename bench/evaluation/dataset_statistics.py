"""How imbalanced a data set is: sizes, foreground, lesions per case and their volumes, beside those of LiTS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.data.classes import IGNORED, class_map
from bench.data.dataset import Dataset
from bench.data.volume import Case
from bench.errors import DataError
from bench.evaluation.components import Components

ENOUGH_FOREGROUND = 0.01
"""Median share of foreground above which a set says little about small lesions."""

LITS = {"cases": "131", "foreground": "0.124", "lesions": "3 [1, 9]", "volume": "539"}
"""131 training scans, tumours: medians [quartiles] as reported with the BiCC loss (2026 preprint)."""
LITS_MEDIAN_VOLUME_MM3 = 539.0


@dataclass(frozen=True)
class CaseStatistics:
    """One case.

    foreground      share of the target classes among the voxels that are not ignored.
    lesion_volumes  volumes of the 26-connected components in mm³ (mm² for 2D), by class.
    """

    case: str
    patient: str
    shape: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    foreground: float
    lesion_volumes: dict[str, tuple[float, ...]]


def case_statistics(dataset: Dataset, case: Case) -> CaseStatistics:
    """Read one case and count.

    Raises:
        DataError: the case cannot be read or has no label.
    """
    volume = dataset.read(case)
    if volume.labels is None:
        raise DataError(f"case {case.id}: no label to count in")
    classes = class_map(volume.labels, dataset.settings)
    counted = int(np.count_nonzero(classes != IGNORED))
    voxel = math.prod(volume.geometry.spacing_mm)
    volumes = {}
    for index, name in enumerate(dataset.settings.classes, start=1):
        sizes = Components(np.pad(classes == index, 1)).sizes
        volumes[name] = tuple(float(size * voxel) for size in sizes)
    share = int(np.count_nonzero(classes > 0)) / max(counted, 1)
    geometry = volume.geometry
    return CaseStatistics(case.id, case.patient, geometry.shape, geometry.spacing_mm, share, volumes)


def all_volumes(cases: Sequence[CaseStatistics]) -> dict[str, list[float]]:
    """Volumes of all lesions by class."""
    names = cases[0].lesion_volumes if cases else {}
    return {name: [volume for case in cases for volume in case.lesion_volumes[name]] for name in names}


def table(cases: Sequence[CaseStatistics]) -> list[tuple[str, str, str]]:
    """Rows of (quantity, this data set, LiTS): medians [quartiles] over cases, or over lesions for their volumes.

    Foreground and lesions per case are over the cases that have any.
    """
    filled = [case for case in cases if case.foreground > 0]
    unit = "mm²" if cases and len(cases[0].shape) == 2 else "mm³"
    axes = "(y, x)" if unit == "mm²" else "(z, y, x)"
    several = bool(cases) and len(cases[0].lesion_volumes) > 1
    rows = [
        ("cases", str(len(cases)), LITS["cases"]),
        ("patients", str(len({case.patient for case in cases})), ""),
        ("cases without target", str(len(cases) - len(filled)), ""),
        (f"size {axes}, voxels", _axes([case.shape for case in cases]), ""),
        (f"spacing {axes}, mm", _axes([case.spacing_mm for case in cases]), ""),
        ("foreground, % of voxels", spread([100 * case.foreground for case in filled]), LITS["foreground"]),
    ]
    for name, volumes in all_volumes(cases).items():
        of = f" ({name})" if several else ""
        counts = [float(len(case.lesion_volumes[name])) for case in cases if case.lesion_volumes[name]]
        rows += [
            (f"lesions per case{of}", spread(counts), LITS["lesions"]),
            (f"lesion volume{of}, {unit}", spread(volumes), LITS["volume"] if unit == "mm³" else ""),
        ]
    return rows


def warnings(cases: Sequence[CaseStatistics]) -> list[str]:
    """What limits the conclusions that can be drawn on this data set."""
    shares = [case.foreground for case in cases if case.foreground > 0]
    if not shares:
        return ["no case has a voxel of the target"]
    median = float(np.median(shares))
    if median <= ENOUGH_FOREGROUND:
        return []
    return [
        f"median foreground {median:.1%} of the voxels, more than {ENOUGH_FOREGROUND:.0%}: not imbalanced enough to "
        f"say anything about small lesions"
    ]


def spread(values: Sequence[float]) -> str:
    """Median [quartiles], or a dash."""
    if not values:
        return "–"
    low, middle, high = (float(q) for q in np.percentile(values, (25, 50, 75)))
    return f"{middle:.4g} [{low:.4g}, {high:.4g}]"


def _axes(values: Sequence[Sequence[float]]) -> str:
    """Median of each axis and the extremes."""
    if len({len(value) for value in values}) != 1:
        return "–" if not values else "2D and 3D"
    array = np.array(values, np.float64)
    parts = (np.median(array, axis=0), array.min(axis=0), array.max(axis=0))
    middle, low, high = (" × ".join(f"{n:.4g}" for n in part) for part in parts)
    return f"{middle} (from {low} to {high})"
