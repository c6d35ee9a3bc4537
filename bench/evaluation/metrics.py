"""The one list of metrics, in the order of the tables' columns, gathered from the metric families."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from bench.evaluation.empties import describe
from bench.evaluation.family import FAMILIES, Better, Family, Metric, MetricError
from losses.registry import nearest

__all__ = ["Better", "Metric", "MetricError", "all_metrics", "empty_policy", "families", "metric", "pool"]


@cache
def families() -> tuple[Family, ...]:
    """Every family, built-in and plugged in, in the order of the tables' columns."""
    return tuple(sorted((FAMILIES.create(name) for name in FAMILIES.names()), key=lambda family: family.rank))


@cache
def all_metrics() -> dict[str, Metric]:
    """Every metric by its key."""
    return {metric.key: metric for family in families() for metric in family.metrics}


def metric(key: str) -> Metric:
    """The metric of that key."""
    known = all_metrics()
    if key not in known:
        raise MetricError(f"unknown metric {key!r}.{nearest(key, known)} Known: {', '.join(known)}")
    return known[key]


def pool(records: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The metrics that are computed once per table, such as `dice_global`, from the case records of one row."""
    held = list(records)
    return {key: value for family in families() for key, value in family.pool(held).items()}


def empty_policy() -> str:
    """What an empty mask is worth in each per-case metric: the line under every table."""
    return describe({metric.label: metric.empties for metric in all_metrics().values() if not metric.pooled})
