"""Lesion by lesion: recall of small and large lesions, false positives per case."""

from __future__ import annotations

from collections.abc import Collection
from statistics import median

import pandas as pd

from bench.results.load import Run
from bench.results.quantities import FALSE_POSITIVES, ON_LOOK_ALIKES, RECALL_LARGE, RECALL_SMALL
from bench.results.values import Value, summarise


def small_below_mm3(run: Run, dataset: str, target: str) -> float | None:
    """The median volume of a data set's test lesions; None without any. Lesions below it are the small ones.

    Taken over all lesions that any cell was scored on, each once, so that all rows of a table share it.
    """
    lesions = _of(run.reference_lesions, dataset, target)
    if lesions.empty:
        return None
    first = lesions.groupby("case", sort=False)[["cell", "block"]].transform("first")
    once = (lesions["cell"] == first["cell"]) & (lesions["block"] == first["block"])
    return float(median(lesions.loc[once, "volume_mm3"]))


def lesion_values(
    run: Run, records: pd.DataFrame, dataset: str, block: str, target: str, method: str, seeds: Collection[int]
) -> dict[str, Value]:
    """Recall over lesions and false positives over cases (those without target included) of one method.

    Args:
        records: the method's case records of this data set and block; they tell which cases were scored.

    A lesion is found when any voxel of it is predicted. `on_look_alikes` is undefined where look-alikes are unknown.
    """
    lesions, false = (_of(part, dataset, target) for part in (run.reference_lesions, run.false_positives))
    known = (false["known"] > 0).any()
    lesions, false = (part[(part["method"] == method) & (part["block"] == block)] for part in (lesions, false))
    cases = records.loc[records["class"] == target, ["cell", "seed", "case"]]
    rates = _recall(lesions, small_below_mm3(run, dataset, target), seeds)
    keys = ["cell", "case"]
    counts = false[[*keys, "size", "sum"]]
    per_case = cases.merge(counts, on=keys, how="left").fillna({"size": 0.0, "sum": 0.0})
    per_case = per_case.rename(columns={"size": FALSE_POSITIVES.key, "sum": ON_LOOK_ALIKES.key})
    if not known:
        per_case[ON_LOOK_ALIKES.key] = float("nan")
    return rates | summarise(per_case, [FALSE_POSITIVES.key, ON_LOOK_ALIKES.key], ["case"], seeds)


def _recall(lesions: pd.DataFrame, small_below: float | None, seeds: Collection[int]) -> dict[str, Value]:
    """Units are lesions: their order within a case is that of their voxels, the same in every cell."""
    ordinal = lesions.groupby(["cell", "case"], sort=False).cumcount()
    lesions = lesions.assign(ordinal=ordinal, found=(lesions["covered_fraction"] > 0).astype(float))
    small = lesions["volume_mm3"] < (small_below or 0.0)
    unit = ["case", "ordinal"]
    return {
        RECALL_SMALL.key: summarise(lesions[small], ["found"], unit, seeds)["found"],
        RECALL_LARGE.key: summarise(lesions[~small], ["found"], unit, seeds)["found"],
    }


def _of(rows: pd.DataFrame, dataset: str, target: str) -> pd.DataFrame:
    return rows[(rows["dataset"] == dataset) & (rows["class"] == target)]
