"""Means over cases, with their denominators: cases with target are the headline, cases without stand apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from bench.evaluation.empties import DIAGONAL
from bench.evaluation.metrics import METRICS, Metric, pool

Records = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Aggregate:
    """One metric over a group of cases. NaN where there is nothing to average.

    mean       over the `defined` cases, what empty masks cost included.
    median     over the `measured` cases; of the absolute value for a metric that is best at zero.
    defined    cases with a value; `undefined` cases have none (NaN).
    measured   for distances, cases where neither mask is empty, so that no penalty is in the median; else as `defined`.
    """

    mean: float
    median: float
    defined: int
    undefined: int
    measured: int


@dataclass(frozen=True)
class Summary:
    """Scores of a set of cases.

    with_target        per-case metrics over the cases whose reference is not empty, by key.
    without_target     the same over the cases whose reference is empty.
    pooled             metrics computed once from the counts of the cases with target, by key.
    cases, cases_without_target, empty_predictions   counts; the last among the cases with target.
    false_positive_volume_mm3, share_clean           cases without target: mean predicted volume, share predicted empty.
    """

    with_target: Mapping[str, Aggregate]
    without_target: Mapping[str, Aggregate]
    pooled: Mapping[str, float]
    cases: int
    cases_with_target: int
    cases_without_target: int
    empty_predictions: int
    false_positive_volume_mm3: float
    share_clean: float


def summarise(records: Records) -> Summary:
    """Summarise the records that `score` made of a set of cases."""
    present = [record for record in records if record["reference_voxels"] > 0]
    absent = [record for record in records if record["reference_voxels"] == 0]
    case_metrics = [metric for metric in METRICS.values() if not metric.pooled]
    return Summary(
        with_target={metric.key: aggregate(metric, present) for metric in case_metrics},
        without_target={metric.key: aggregate(metric, absent) for metric in case_metrics},
        pooled=pool(present),
        cases=len(records),
        cases_with_target=len(present),
        cases_without_target=len(absent),
        empty_predictions=sum(record["prediction_voxels"] == 0 for record in present),
        false_positive_volume_mm3=_mean([record["prediction_volume_mm3"] for record in absent]),
        share_clean=_mean([float(record["prediction_voxels"] == 0) for record in absent]),
    )


def aggregate(metric: Metric, records: Records) -> Aggregate:
    """Mean and median of one metric over some cases."""
    defined = [record for record in records if not math.isnan(record[metric.key])]
    penalised = DIAGONAL in (metric.empties.prediction, metric.empties.reference)
    measured = [record for record in defined if not (penalised and _one_empty(record))]
    values = [record[metric.key] for record in measured]
    if metric.better == "closest_to_zero":
        values = [abs(value) for value in values]
    return Aggregate(
        mean=_mean([record[metric.key] for record in defined]),
        median=median(values) if values else math.nan,
        defined=len(defined),
        undefined=len(records) - len(defined),
        measured=len(measured),
    )


def _one_empty(record: Mapping[str, Any]) -> bool:
    return bool(record["reference_voxels"] == 0 or record["prediction_voxels"] == 0)


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else math.nan
