"""A small run directory written as a run writes it: real masks, real scores, real seals; only nothing was trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.data.preprocessing import prepare
from bench.data.preview import write_preview
from bench.data.settings import DatasetSettings, PreprocessingSettings
from bench.data.volume import Geometry, Volume
from bench.data.writing import write_labels
from bench.evaluation.lesions import LESION_COLUMNS, lesion_records
from bench.evaluation.scoring import score
from bench.files.atomic import write_json
from bench.files.checksum import seal_folder
from bench.files.rows import write_rows
from bench.results.records import write_cell, write_history
from bench.results.run_directory import RunDirectory

SHAPE, SPACING = (12, 36, 36), (3.0, 1.5, 1.5)
GEOMETRY = Geometry.plain(SHAPE, SPACING)
KEYS = ("dataset", "block", "case", "patient", "class")

CASES = {"001": "a", "002": "a", "003": "b", "010": "c", "011": "d"}
"""Test cases and their patients; 011 has no target."""


def ball(centre: tuple[float, ...], radius_mm: float) -> np.ndarray:
    grid = np.indices(SHAPE).reshape(3, -1).T * SPACING
    return (np.linalg.norm(grid - np.asarray(centre), axis=1) <= radius_mm).reshape(SHAPE)


def number(case: str) -> int:
    return int(case) if case.isdigit() else len(case)


@cache
def reference(case: str) -> np.ndarray:
    """A large and a small lesion of class 1; every second case also has class 2."""
    labels = np.zeros(SHAPE, np.int8)
    if case == "011":
        return labels
    shift = 2.0 * (number(case) % 4)
    labels[ball((18, 20 + shift, 20), 9)] = 1
    labels[ball((12, 40, 42 - shift), 4)] = 1
    if number(case) % 2:
        labels[ball((24, 40, 12), 6)] = 2
    return labels


@cache
def prediction(case: str, skill: float, seed: int, block: str) -> np.ndarray:
    """The reference moved and with noise balls; skill 0 predicts nothing."""
    if skill == 0:
        return np.zeros(SHAPE, np.int8)
    random = np.random.default_rng([number(case), int(skill * 100), seed, block == "last"])
    moved = np.roll(reference(case), random.integers(-2, 3, 2) if skill < 0.9 else (0, 1), axis=(1, 2)).copy()
    if random.random() > skill:
        moved[ball((6, 10, 40), 3)] = 1
    return moved


@cache
def measured(case: str, skill: float, seed: int, block: str, index: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Scores and lesions of one class."""
    pair = (reference(case) == index, prediction(case, skill, seed, block) == index, SPACING)
    return score(*pair), lesion_records(*pair, distractors=ball((6, 10, 40), 5))


@dataclass
class RunBuilder:
    """Writes a run directory; change its fields, or call `write` and damage what it wrote."""

    path: Path
    methods: dict[str, float] = field(default_factory=lambda: {"dice": 0.8, "ce": 0.4, "tversky": 0.95})
    """Method ids and how well each does."""
    labels: dict[str, str] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1)
    folds: tuple[int, ...] = (0,)
    classes: tuple[str, ...] = ("target",)
    datasets: tuple[str, ...] = ("main",)
    cases: dict[str, str] = field(default_factory=lambda: dict(CASES))
    ended: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    """(method, seed) → status and reason of cells without scores; `planned` for a cell nobody has run."""
    suite: dict[str, Any] = field(default_factory=dict)
    cell: Callable[[str, int, int], Mapping[str, Any]] = lambda method, seed, fold: {}
    """Changes to a cell's record."""
    identity: Callable[[str, int, int], Mapping[str, Any]] = lambda method, seed, fold: {"loss": {"name": method}}
    empty: frozenset[tuple[str, str]] = frozenset({("ce", "003")})
    """(method, case) whose prediction is empty."""
    steps: int = 300
    pictures: bool = False
    """Whether predicted masks and slices of the cases are written too; only the examples need them."""

    def write(self) -> RunDirectory:
        run = RunDirectory(self.path)
        run.create()
        plan = [self._plan(m, s, f) for f in self.folds for s in self.seeds for m in self.methods]
        prepared = [
            {"id": f"{case}-{name}", "dataset": name, "case": case, "fingerprint": "f" * 8}
            for name in self.datasets
            for case in self.cases
        ]
        run.write_run(
            {
                "suite_file": "synthetic.yaml",
                "suite": self._suite(),
                "profile": "phantom",
                "why": "LITS_ROOT is not set",
                "plan": {"prepare": prepared, "cells": plan},
                "selected": [cell["id"] for cell in plan],
                "protocol": ["300 steps of Adam at 0.001", "augmentation: flips"],
            }
        )
        for cell in plan:
            if self.ended.get((cell["method"], cell["seed"]), ("",))[0] != "planned":
                self._cell(run, cell)
        self.write_baseline(run, "thresholds", [f"{case}-main" for case in self.cases], "best raw threshold: DC 0.14")
        for name in self.datasets if self.pictures else ():
            for case in self.cases:
                self._preview(run.preview(f"{case}-{name}"), case)
        return run

    def write_baseline(self, run: RunDirectory, name: str, cases: list[str], line: str) -> None:
        folder = run.path / "baselines" / name
        folder.mkdir(parents=True)
        write_json(folder / "baseline.json", {"cases": cases, "lines": [line]})
        seal_folder(folder)

    def _suite(self) -> dict[str, Any]:
        return {
            "title": "Losses on synthetic masks",
            "notes": ["A tuned order of methods is not a finding."],
            "primary": "dice",
            "baseline": next(iter(self.methods)),
            "methods": [
                {"id": method, "label": self.labels.get(method, ""), "loss": {"name": method}}
                for method in self.methods
            ],
            "seeds": list(self.seeds),
            "dataset": {"format": "phantom", "target": [1]},
            "evaluate_on": {name: {} for name in self.datasets if name != "main"},
            "preprocessing": {"roi_from": None},
            "evaluation": {"tolerance_mm": 1.0, "window_overlap": 0.25, "window_batch": 4},
            **self.suite,
        }

    def _plan(self, method: str, seed: int, fold: int) -> dict[str, Any]:
        tested = [case for index, case in enumerate(self.cases) if index % len(self.folds) == self.folds.index(fold)]
        return {
            "id": f"{method}-s{seed}-f{fold}-abc",
            "method": method,
            "seed": seed,
            "fold": fold,
            "train": [],
            "validation": [],
            "test": [f"{case}-main" for case in tested],
            "evaluate_on": {
                name: [f"{case}-{name}" for case in self.cases] for name in self.datasets if name != "main"
            },
            "selected_on_reported": False,
            "comparison": f"comparison-{seed}-{fold}",
            "identity": dict(self.identity(method, seed, fold)),
        }

    def _cell(self, run: RunDirectory, plan: dict[str, Any]) -> None:
        method, seed, fold = plan["method"], plan["seed"], plan["fold"]
        status, reason = self.ended.get((method, seed), ("finished", ""))
        folder = run.cell(plan["id"])
        folder.mkdir(parents=True)
        write_cell(folder, self._record(plan, status, reason) | dict(self.cell(method, seed, fold)))
        write_history(folder / "history.jsonl", self._history(self.methods[method], seed))
        if status == "finished":
            self._scores(folder, plan)
        seal_folder(folder)

    def _record(self, plan: dict[str, Any], status: str, reason: str) -> dict[str, Any]:
        shared = ("id", "method", "seed", "fold", "selected_on_reported", "comparison", "identity")
        return {
            **{key: plan[key] for key in shared},
            "label": self.labels.get(plan["method"], plan["method"]),
            "profile": "phantom",
            "status": status,
            "reason": reason,
            "steps": self.steps,
            "best_step": self.steps // 2,
            "best_validation_dice": 0.5,
            "start_digest": f"start-{plan['seed']}",
            "order_digest": f"order-{plan['seed']}-{plan['fold']}",
            "parameters": 123456,
            "timing": {"seconds_per_step": 0.09, "seconds_training": 28.0, "seconds_per_case": 0.25},
            "provenance": {
                "finished_at": "2026-01-02T03:04:05+00:00",
                "commit": "0123456789abcdef",
                "python": "3.11.9",
                "torch": "2.13.0+cpu",
                "device": "cpu",
                "device_name": "Synthetic CPU",
                "cpu_capability": "AVX2",
            },
        }

    def _history(self, skill: float, seed: int) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        for step in range(10, self.steps + 1, 10):
            fade = np.exp(-step / (60 + 10 * seed))
            records.append(
                {
                    "step": step,
                    "objective": float(0.2 + 0.8 * fade),
                    "segmentation": float(0.2 + 0.8 * fade),
                    "gradient_norm": 1.0,
                    "learning_rate": 1e-3 * (1 - step / (self.steps + 1)),
                }
            )
            if step % 50 == 0:
                dice = float(skill * (1 - fade) * 0.8)
                records.append({"step": step, "dice": dice, "cases": {"900": dice - 0.05, "901": dice + 0.05}})
        return records

    def _scores(self, folder: Path, plan: dict[str, Any]) -> None:
        scores: list[dict[str, Any]] = []
        lesions: list[dict[str, Any]] = []
        tests = {"main": plan["test"], **plan["evaluate_on"]}
        for block in ("best", "last"):
            for name, identities in tests.items():
                masks = folder / "predictions" / name / block
                if self.pictures:
                    masks.mkdir(parents=True)
                for identity in identities:
                    case = identity.removesuffix(f"-{name}")
                    skill = 0.0 if (plan["method"], case) in self.empty else self.methods[plan["method"]]
                    if self.pictures:
                        mask = prediction(case, skill, plan["seed"], block)
                        write_labels(masks / f"{case}.nii.gz", mask, GEOMETRY)
                    for index, target in enumerate(self.classes, start=1):
                        keys = dict(zip(KEYS, (name, block, case, self.cases[case], target), strict=True))
                        scored, found = measured(case, skill, plan["seed"], block, index)
                        scores.append(keys | scored)
                        lesions += [keys | record for record in found]
        write_rows(folder / "cases.csv", scores, list(scores[0]))
        write_rows(folder / "lesions.csv", lesions, [*KEYS, *LESION_COLUMNS])

    def _preview(self, path: Path, case: str) -> None:
        path.parent.mkdir(exist_ok=True)
        labels = reference(case).astype(np.int16)
        noise = np.random.default_rng(number(case)).normal(0, 8, SHAPE)
        image = (100.0 - 40.0 * (labels > 0) + noise).astype(np.float32)[np.newaxis]
        target = {name: (index,) for index, name in enumerate(self.classes, start=1)}
        settings = DatasetSettings(format="phantom", target=target)
        prepared = prepare(Volume(image, labels, GEOMETRY), settings, PreprocessingSettings(window=(-60.0, 140.0)))
        write_preview(path, prepared.preview, GEOMETRY)


Change = Callable[[str], str]


@pytest.fixture
def rewrite() -> Callable[[Path, Change], None]:
    """Edit a file of a sealed folder and seal the folder again."""

    def edit(path: Path, change: Change) -> None:
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
        seal_folder(path.parent)

    return edit


@pytest.fixture
def builder(tmp_path: Path) -> RunBuilder:
    """Three methods, two seeds, five cases."""
    return RunBuilder(tmp_path / "run")


@pytest.fixture
def written(builder: RunBuilder) -> RunDirectory:
    return builder.write()


@pytest.fixture
def pictured(builder: RunBuilder) -> RunDirectory:
    """The same with predicted masks and slices of the cases."""
    builder.pictures = True
    return builder.write()
