"""One number of a table with its spread and its denominators."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from bench.evaluation.metrics import METRICS, pool


@dataclass(frozen=True)
class Value:
    """The mean of a quantity over units (cases, or lesions), each averaged over its cells first.

    mean        first over the seeds of a unit, then over the units; NaN when no unit has a value.
    sd          sample standard deviation over the units; NaN for fewer than two.
    n           units that have a value.
    scores      records (unit × cell) that have a value, and their `total`.
    undefined   records that have none.
    median      over single records: for distances over the scored pairs (both masks non-empty), for all other
                quantities over the records that have a value; `median_n` is their number.
    seed_means  the mean of each complete seed (a seed all of whose planned cells are finished).
    """

    mean: float
    sd: float = math.nan
    n: int = 0
    scores: int = 0
    total: float = math.nan
    undefined: int = 0
    median: float = math.nan
    median_n: int = 0
    seed_means: Mapping[int, float] = field(default_factory=dict)

    @property
    def seed_sd(self) -> float:
        """Sample standard deviation of the per-seed means; NaN for fewer than two seeds."""
        means = [mean for mean in self.seed_means.values() if not math.isnan(mean)]
        return statistics.stdev(means) if len(means) > 1 else math.nan


def summarise(
    records: pd.DataFrame,
    columns: Sequence[str],
    unit: Sequence[str],
    seeds: Collection[int],
    scored: Sequence[str] = (),
) -> dict[str, Value]:
    """Average columns of one method's records.

    Args:
        records: one row per unit and cell, with `seed`; a boolean column `scored` tells pairs without an empty mask.
        unit: the columns that identify a case or lesion.
        seeds: the complete seeds.
        scored: the columns whose median is over the scored pairs.
    """
    if records.empty:
        return {column: Value(math.nan) for column in columns}
    names = list(columns)
    values = records[names]
    per_unit = _mean_by(records, list(unit), names)
    means, sds, counts = per_unit.mean(), per_unit.std(ddof=1), per_unit.count()
    per_seed = _mean_by(records[records["seed"].isin(list(seeds))], ["seed", *unit], names).groupby("seed").mean()
    pairs = {name: values.loc[records["scored"], name] if name in scored else values[name].dropna() for name in names}
    return {
        name: Value(
            mean=float(means[name]),
            sd=float(sds[name]),
            n=int(counts[name]),
            scores=int(values[name].count()),
            total=float(values[name].sum()),
            undefined=int(values[name].isna().sum()),
            median=float(pairs[name].median()) if len(pairs[name]) else math.nan,
            median_n=len(pairs[name]),
            seed_means=dict(zip(map(int, per_seed.index), map(float, per_seed[name]), strict=True)),
        )
        for name in names
    }


def pooled(records: pd.DataFrame, seeds: Collection[int]) -> dict[str, Value]:
    """The pooled metrics of one method's case records: computed once per seed, then averaged over the seeds."""
    if records.empty:
        return {metric.key: Value(math.nan) for metric in METRICS.values() if metric.pooled}
    numbers = records.select_dtypes("number")
    names = [str(name) for name in numbers.columns]
    by_seed = {
        seed: pool(dict(zip(names, row, strict=True)) for row in numbers[records["seed"] == seed].to_numpy())
        for seed in sorted(map(int, records["seed"].unique()))
    }
    return {
        key: Value(
            mean=statistics.fmean(values[key] for values in by_seed.values()),
            n=int(records["case"].nunique()),
            scores=len(records),
            seed_means={seed: values[key] for seed, values in by_seed.items() if seed in seeds},
        )
        for key in next(iter(by_seed.values()))
    }


def mean_over_classes(values: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """The unweighted mean of the classes' means; `n` is the number of classes that have one. No spread over cases."""
    return {key: _class_mean([of_class[key] for of_class in values]) for key in values[0]}


def _class_mean(values: Sequence[Value]) -> Value:
    held = [value for value in values if not math.isnan(value.mean)]
    if not held:
        return Value(math.nan)
    shared = set.intersection(*(set(value.seed_means) for value in held))
    return Value(
        mean=statistics.fmean(value.mean for value in held),
        n=len(held),
        scores=sum(value.scores for value in held),
        undefined=sum(value.undefined for value in held),
        seed_means={seed: statistics.fmean(v.seed_means[seed] for v in held) for seed in sorted(shared)},
    )


def _mean_by(records: pd.DataFrame, keys: list[str], names: list[str]) -> pd.DataFrame:
    return records.groupby(keys, sort=False)[names].mean()
