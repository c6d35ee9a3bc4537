"""What the lesion records of a set of cases add up to: recall by size, false positives per case."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.evaluation.lesions import FALSE_POSITIVE, LESION


@dataclass(frozen=True)
class LesionSummary:
    """Counts and shares over `cases` cases; a share without a denominator is NaN.

    small_lesions, large_lesions  lesions below the median lesion volume of these cases, and all others.
    small_recall, large_recall    share of them with any voxel predicted.
    false_positives_per_case      predicted components that share no voxel with a lesion.
    false_positives_on_distractors_per_case  those among them that touch a look-alike; NaN where those are not known.
    """

    cases: int
    median_volume_mm3: float
    small_lesions: int
    large_lesions: int
    small_recall: float
    large_recall: float
    false_positives_per_case: float
    false_positives_on_distractors_per_case: float


def summarise_lesions(records: Iterable[Mapping[str, Any]], *, cases: int) -> LesionSummary:
    """Summarise the records of all cases of a test set. `cases` counts those without any record, too."""
    held = list(records)
    lesions = [record for record in held if record["kind"] == LESION]
    false = [record for record in held if record["kind"] == FALSE_POSITIVE]
    middle = median(record["volume_mm3"] for record in lesions) if lesions else math.nan
    small = [lesion for lesion in lesions if lesion["volume_mm3"] < middle]
    large = [lesion for lesion in lesions if not lesion["volume_mm3"] < middle]
    return LesionSummary(
        cases=cases,
        median_volume_mm3=float(middle),
        small_lesions=len(small),
        large_lesions=len(large),
        small_recall=_recall(small),
        large_recall=_recall(large),
        false_positives_per_case=_share(len(false), cases),
        false_positives_on_distractors_per_case=_share(sum(record["on_distractor"] for record in false), cases),
    )


def _recall(lesions: list[Mapping[str, Any]]) -> float:
    return _share(sum(lesion["covered_fraction"] > 0 for lesion in lesions), len(lesions))


def _share(part: float, whole: int) -> float:
    return part / whole if whole else math.nan
