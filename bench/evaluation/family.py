"""What one metric is, and what a family of metrics is: those that one computation on a pair of masks yields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from bench.errors import BenchError
from bench.evaluation.empties import Empties
from bench.evaluation.pair import Pair
from losses.registry import Registry

Better = Literal["higher", "lower", "closest_to_zero"]


class MetricError(BenchError):
    """A metric or metric family that does not exist, is defined twice or cannot be loaded."""


@dataclass(frozen=True)
class Metric:
    """One column of a table.

    key      name in records and CSV files, with the unit in it.
    label    the field's short name, for display only.
    unit     "mm", or "" for a number without unit.
    better   which way is better; a ranking of "closest_to_zero" compares absolute values.
    empties  its values where a mask is empty.
    pooled   computed once per table from the records of all cases, not once per case.
    """

    key: str
    label: str
    unit: str
    better: Better
    empties: Empties
    pooled: bool = False


class Family:
    """Metrics that share one computation. A new file in `bench/evaluation/families/` adds one; nothing else changes.

    `rank` orders the columns of tables (overlap 10, surface 20).
    """

    rank: ClassVar[int] = 100
    metrics: ClassVar[tuple[Metric, ...]]

    def measure(self, pair: Pair) -> dict[str, float]:
        """Values of the per-case metrics by key. Called only when neither mask is empty."""
        raise NotImplementedError

    def pool(self, records: Iterable[Mapping[str, float]]) -> dict[str, float]:
        """Values of the pooled metrics by key, from the case records that `score` made."""
        return {}


FAMILY_REGISTRY: Registry[Family] = Registry(
    "metric family", package="bench.evaluation.families", group="imbalance_bench.metrics", error=MetricError
)
