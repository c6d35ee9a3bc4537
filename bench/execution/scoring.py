"""Scoring a method on whole cases: validation DC while it trains, all records when it is done.

Every scored case leaves its mask and one small file behind, so that a resumed cell goes on with the next case.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from bench import stopping
from bench.data.classes import IGNORED
from bench.data.distractors import read_distractors
from bench.data.prepared import Prepared
from bench.data.writing import write_labels
from bench.evaluation.lesions import lesion_records
from bench.evaluation.overlap import overlap_counts
from bench.evaluation.scoring import score
from bench.evaluation.segmentation import segment_case
from bench.execution.watch import JobWatch
from bench.files.atomic import write_json
from bench.files.storage import copy_folder, saving
from bench.suite.plan import CellPlan
from bench.suite.schema import Suite
from models.method import Method

LabelMap = npt.NDArray[np.int8]


class Image(Protocol):
    """A prepared image, of a stored case or of a file that was just read."""

    @property
    def image(self) -> npt.NDArray[np.floating[Any]]: ...
    @property
    def meta(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Scorer:
    """Segments and scores cases under one suite's settings."""

    suite: Suite
    device: torch.device

    def segment(self, method: Method, case: Image) -> LabelMap:
        """The method's label map of a case on its native grid."""
        bf16 = self.suite.training.precision == "bf16"
        method.eval()
        with torch.autocast(self.device.type, torch.bfloat16) if bf16 else nullcontext():
            return segment_case(
                method.segment,
                case.image,
                case.meta,
                self.suite.sampling.patch_size,
                self.suite.evaluation,
                self.device,
            )

    def validation_dice(self, method: Method, cases: Sequence[Prepared]) -> dict[str, float]:
        """DC of every case with target by its id, on the native grid, mean over the classes that it has.

        Cases without target are left out, as in the headline: they would reward a checkpoint that predicts nothing.
        When no case has a target, all of them count (both empty = 1).
        """
        chosen = [case for case in cases if case.has_target] or cases
        scores = {}
        for case in chosen:
            stopping.leave_if_asked()
            scores[case.id] = self._dice(self.segment(method, case), case.reference())
        return scores

    def records(self, case: Prepared, prediction: LabelMap) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Rows for cases.csv (one per class) and for lesions.csv (one per lesion and false positive)."""
        reference, spacing = case.reference(), case.placement.native.spacing_mm
        ignored = reference == IGNORED
        known = {"distractors": read_distractors(case.folder, reference.shape), "ignore": ignored}
        scores, lesions = [], []
        for number, name in enumerate(self.suite.dataset.classes, start=1):
            masks = reference == number, prediction == number
            row = {"case": case.id, "patient": case.patient, "class": name}
            tolerance = self.suite.evaluation.tolerance_mm
            scores.append(row | score(*masks, spacing, tolerance_mm=tolerance, ignore=ignored))
            lesions += [{**row, **record} for record in lesion_records(*masks, spacing, **known)]
        return scores, lesions

    def _dice(self, prediction: LabelMap, reference: LabelMap) -> float:
        ignored = reference == IGNORED
        numbers = range(1, len(self.suite.dataset.classes) + 1)
        present = [number for number in numbers if (reference == number).any()] or numbers
        values = [overlap_counts(reference == c, prediction == c, ignore=ignored).dice for c in present]
        return sum(values) / len(values)


def score_block(
    scorer: Scorer,
    plan: CellPlan,
    cases: Mapping[str, Prepared],
    method: Method,
    block: str,
    working: Path,
    watch: JobWatch,
) -> float:
    """Segment and score all test cases with one checkpoint; returns the seconds per case of those done now."""
    groups = {"main": plan.test, **plan.evaluate_on}
    todo = [(name, case) for name, group in groups.items() for case in group]
    started, done = time.perf_counter(), 0
    for position, (name, identity) in enumerate(todo, start=1):
        stopping.leave_if_asked()
        watch(f"scoring {block}", position, of=len(todo))
        case = cases[identity]
        record = working / "scores" / block / name / f"{identity}.json"
        if record.is_file():
            continue
        prediction = scorer.segment(method, case)
        masks = working / "predictions" / name / block
        _make_folders(masks)
        write_labels(masks / f"{case.id}.nii.gz", prediction, case.placement.native)
        scores, lesions = scorer.records(case, prediction)
        _make_folders(record.parent)
        place = {"dataset": name, "block": block}
        write_json(record, _storable({"cases": [place | s for s in scores], "lesions": [place | r for r in lesions]}))
        done += 1
    return (time.perf_counter() - started) / max(done, 1)


def repeat_block(plan: CellPlan, working: Path, done: str, block: str) -> None:
    """Give a block the masks and records of another one with the same weights."""
    for name, group in {"main": plan.test, **plan.evaluate_on}.items():
        if not group:
            continue
        masks = working / "predictions" / name
        copy_folder(masks / done, masks / block)
        records = working / "scores" / block / name
        _make_folders(records)
        for case in group:
            content = json.loads((working / "scores" / done / name / f"{case}.json").read_text(encoding="utf-8"))
            rows = {kind: [row | {"block": block} for row in content[kind]] for kind in content}
            write_json(records / f"{case}.json", rows)


def collect(plan: CellPlan, working: Path, blocks: Sequence[str], kind: str) -> list[dict[str, Any]]:
    """All rows of one kind ("cases" or "lesions") in the order of blocks, data sets and cases."""
    groups = {"main": plan.test, **plan.evaluate_on}
    paths = (
        working / "scores" / block / name / f"{case}.json"
        for block in blocks
        for name, group in groups.items()
        for case in group
    )
    return [_restored(row) for path in paths for row in json.loads(path.read_text(encoding="utf-8"))[kind]]


def _make_folders(path: Path) -> None:
    with saving(path):
        path.mkdir(parents=True, exist_ok=True)


def _storable(value: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """NaN as null, which JSON has."""
    return {kind: [{k: None if v != v else v for k, v in row.items()} for row in rows] for kind, rows in value.items()}


def _restored(row: dict[str, Any]) -> dict[str, Any]:
    return {key: float("nan") if value is None else value for key, value in row.items()}
