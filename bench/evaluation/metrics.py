"""The one list of metrics, in the order of the tables' columns, gathered from the metric families."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bench.evaluation.empties import describe
from bench.evaluation.family import FAMILY_REGISTRY, Better, Family, Metric, MetricError
from losses.registry import nearest

__all__ = [
    "EMPTY_POLICY",
    "FAMILIES",
    "METRICS",
    "METRICS_VERSION",
    "Better",
    "Metric",
    "MetricError",
    "metric",
    "pool",
]

METRICS_VERSION = 1
"""Counts up when a definition, a default or the policy for empties changes a value; part of every cell's hash."""

FAMILIES: tuple[Family, ...] = tuple(
    sorted((FAMILY_REGISTRY.create(name) for name in FAMILY_REGISTRY.names()), key=lambda family: family.rank)
)
"""Every family, built-in or of another distribution, in the order of the tables' columns."""

METRICS: dict[str, Metric] = {metric.key: metric for family in FAMILIES for metric in family.metrics}
"""Every metric by its key, in the order of the tables' columns."""

EMPTY_POLICY = describe({metric.label: metric.empties for metric in METRICS.values() if not metric.pooled})
"""What an empty mask is worth in each per-case metric: the line under every table."""


def metric(key: str) -> Metric:
    """The metric of that key."""
    if key not in METRICS:
        raise MetricError(f"unknown metric {key!r}.{nearest(key, METRICS)} Known: {', '.join(METRICS)}")
    return METRICS[key]


def pool(records: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The metrics that are computed once per table, such as `dice_global`, from the case records of one row."""
    held = list(records)
    return {key: value for family in FAMILIES for key, value in family.pool(held).items()}
