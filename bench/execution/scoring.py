"""Scoring a method on whole cases: validation DC while it trains, all records when it is done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.prepared import Prepared
from bench.data.writing import write_labels
from bench.evaluation.lesions import LESION_COLUMNS, lesion_records
from bench.evaluation.overlap import overlap_counts
from bench.evaluation.scoring import SCORE_COLUMNS, score
from bench.evaluation.segmentation import segment_case
from bench.execution.context import RunContext
from bench.execution.watch import JobWatch
from bench.files.atomic import write_json
from bench.suite.planner import CellPlan
from models.method import Method


def validation_dice(context: RunContext, cases: Sequence[Prepared], method: Method) -> dict[str, float]:
    """DC of every validation case by its id, mean over the classes, on the native grid, both empty = 1."""
    ...
