"""What a table can show: the metrics, and what is counted from their records; each with its unit and direction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pandas as pd

from bench.evaluation.metrics import METRICS, Better


@dataclass(frozen=True)
class Quantity:
    """A column of a table. `pooled` ones are computed once per table row, all others once per case or lesion."""

    key: str
    label: str
    unit: str
    better: Better
    pooled: bool = False


ABSOLUTE_VOLUME = Quantity("absolute_relative_volume_difference", "absolute RVD", "", "lower")
EMPTY = Quantity("empty_prediction", "empty predictions", "", "lower")
FALSE_VOLUME = Quantity("false_positive_volume_mm3", "false-positive volume", "mm³", "lower")
CLEAN = Quantity("clean", "clean cases", "", "higher")
RECALL_SMALL = Quantity("recall_small_lesions", "recall of small lesions", "", "higher")
RECALL_LARGE = Quantity("recall_large_lesions", "recall of large lesions", "", "higher")
FALSE_POSITIVES = Quantity("false_positives_per_case", "false positives per case", "", "lower")
ON_LOOK_ALIKES = Quantity("false_positives_on_look_alikes_per_case", "of these on look-alikes", "", "lower")


@cache
def case_quantities() -> tuple[Quantity, ...]:
    """The metrics, in the order of the tables' columns."""
    return tuple(Quantity(m.key, m.label, m.unit, m.better, m.pooled) for m in METRICS.values())


@cache
def quantity(key: str) -> Quantity:
    """The quantity of that key."""
    counted = (ABSOLUTE_VOLUME, EMPTY, FALSE_VOLUME, CLEAN, RECALL_SMALL, RECALL_LARGE, FALSE_POSITIVES, ON_LOOK_ALIKES)
    return {q.key: q for q in (*case_quantities(), *counted)}[key]


def with_counted(cases: pd.DataFrame) -> pd.DataFrame:
    """The case records with one more column for each quantity that follows from a case's own record.

    Columns:
        absolute_relative_volume_difference: |RVD|; undefined where RVD is.
        empty_prediction: 1 where nothing was predicted, else 0.
        false_positive_volume_mm3, clean: volume of the prediction, and 1 where it is empty; only where the case has no
            target, undefined elsewhere.
    """
    counted = cases.copy()
    without = cases["reference_voxels"] == 0
    empty = (cases["prediction_voxels"] == 0).astype(float)
    counted[ABSOLUTE_VOLUME.key] = cases["relative_volume_difference"].abs()
    counted[EMPTY.key] = empty
    counted[FALSE_VOLUME.key] = cases["prediction_volume_mm3"].where(without)
    counted[CLEAN.key] = empty.where(without)
    return counted
