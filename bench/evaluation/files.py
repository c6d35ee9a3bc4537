"""Score a folder of predicted label maps against a folder of references, with the metrics of the run tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.reading import compare, read_labels
from bench.errors import DataError
from bench.evaluation.metrics import EMPTY_POLICY, METRICS
from bench.evaluation.pair import Mask
from bench.evaluation.pairing import pair_files
from bench.evaluation.scoring import SCORE_COLUMNS, score
from bench.evaluation.summary import Summary, summarise
from bench.files.rows import write_rows

Row = dict[str, Any]
COLUMNS = ("case", *SCORE_COLUMNS, "note")
"""Columns of a scores file: the stem of the reference, its scores, and what is odd about the pair of files."""


def score_folders(
    reference: Path, prediction: Path, *, label: int | None = None, tolerance_mm: float = 1.0
) -> list[Row]:
    """Score every pair of files (`pair_files`) on the reference's grid and spacing.

    label  the value that is the target in both files; None means every value but 0.

    Returns one row per case with the keys COLUMNS, in numeric order of the case names.
    Raises: DataError, naming both files, where shape or spacing differ; where a file is missing, unreadable or no label
    map; and where `label` occurs in no reference at all. A different origin or direction is a note.
    """
    rows = [
        _score_files(case, *paths, label=label, tolerance_mm=tolerance_mm)
        for case, paths in pair_files(reference, prediction).items()
    ]
    if label is not None and not any(row["reference_voxels"] for row in rows):
        raise DataError(f"label {label} occurs in none of the {len(rows)} references in {reference}")
    return rows


def write_scores(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows of `score_folders` as CSV, floats with all their digits, an undefined value as an empty field."""
    write_rows(path, rows, COLUMNS)


def summary_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The means with their denominators, the cases without target apart, and the policy for empties, as lines."""
    summary = summarise(rows)
    lines = [f"{summary.cases} cases, {summary.cases_with_target} with target (the means below are over these)"]
    if summary.cases_with_target:
        lines += [*_metric_lines(summary), f"empty predictions: {summary.empty_predictions}"]
    if summary.cases_without_target:
        lines.append(
            f"{summary.cases_without_target} cases without target: mean false-positive volume "
            f"{summary.false_positive_volume_mm3:.1f} mm³, share clean {summary.share_clean:.2f}"
        )
    noted = [row["case"] for row in rows if row["note"]]
    if noted:
        lines.append(f"files on frames that differ (see the column `note`): {', '.join(noted)}")
    return [*lines, f"Policy for empties – {EMPTY_POLICY}"]


def _score_files(case: str, reference: Path, prediction: Path, *, label: int | None, tolerance_mm: float) -> Row:
    expected, grid = read_labels(case, reference)
    found, found_grid = read_labels(case, prediction)
    notes = compare(case, (reference, grid), (prediction, found_grid))
    masks = (_target(expected, label), _target(found, label))
    return {
        "case": case,
        **score(*masks, grid.spacing_mm, tolerance_mm=tolerance_mm),
        "note": "; ".join(notes),
    }


def _target(labels: npt.NDArray[np.int16], label: int | None) -> Mask:
    target: Mask = labels != 0 if label is None else labels == label
    return target


def _metric_lines(summary: Summary) -> list[str]:
    lines = []
    for key, metric in METRICS.items():
        unit = f" {metric.unit}" if metric.unit else ""
        if metric.pooled:
            lines.append(f"{metric.label:>13}  {summary.pooled[key]:.4f}{unit}  ({key})")
            continue
        found = summary.with_target[key]
        what = "of |·| " if metric.better == "closest_to_zero" else ""
        middle = f"median {what}{found.median:.4f}{unit}" if found.measured else "no median"
        lines.append(
            f"{metric.label:>13}  mean {found.mean:.4f}{unit} (n = {found.defined}), "
            f"{middle} (n = {found.measured})  ({key})"
        )
    return lines
