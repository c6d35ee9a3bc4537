"""Validation looks at cases with target; records of a case survive the way through their file."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from bench.execution.scoring import Scorer, collect, repeat_block

SUITE = SimpleNamespace(dataset=SimpleNamespace(classes=("a", "b")), evaluation=SimpleNamespace(tolerance_mm=1.0))


READ: list[str] = []
"""Cases whose reference was read, in order."""


def case(name: str, *labels: int) -> SimpleNamespace:
    """A case of one voxel per label."""
    reference = np.array(labels, np.int8).reshape(-1, 1)

    def read() -> np.ndarray:
        READ.append(name)
        return reference

    return SimpleNamespace(id=name, has_target=bool((reference > 0).any()), reference=read)


class Says(Scorer):
    """Segments every case as it is told."""

    def segment(self, method, case):
        return np.array(method[case.id], np.int8).reshape(-1, 1)


def validate(answers, *cases) -> dict[str, float]:
    return Says(SUITE, None).validation_dice(answers, cases)


def test_validation_leaves_cases_without_target_out():
    assert validate({"x": (1, 0), "empty": (0, 0)}, case("x", 1, 0), case("empty", 0, 0)) == {"x": 1.0}


def test_validation_reads_each_native_reference_once_and_none_that_it_does_not_need():
    READ.clear()
    validate({"x": (1, 0), "y": (1, 1), "empty": (0, 0)}, case("x", 1, 0), case("empty", 0, 0), case("y", 1, 0))
    assert READ == ["x", "y"]


def test_without_any_target_all_cases_count_and_an_empty_prediction_is_right():
    found = validate({"x": (0, 0), "y": (1, 2)}, case("x", 0, 0), case("y", 0, 0))
    assert found == {"x": 1.0, "y": 0.0}


def test_the_mean_is_over_the_classes_that_the_case_has():
    found = validate({"x": (1, 2, 0), "y": (1, 0, 2)}, case("x", 1, 1, 0), case("y", 1, 2, 0))
    assert found["x"] == pytest.approx(2 / 3)
    assert found["y"] == pytest.approx((1 + 0) / 2)


def test_ignored_voxels_are_not_looked_at():
    assert validate({"x": (1, 1, 1)}, case("x", 1, -1, 1))["x"] == 1.0


def record(working, block: str, name: str, identity: str, value: float | None) -> None:
    path = working / "scores" / block / name / f"{identity}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"dataset": name, "block": block, "case": identity, "relative_volume_difference": value}]
    path.write_text(json.dumps({"cases": rows, "lesions": []}))


def test_rows_come_in_the_order_of_the_plan_and_undefined_stays_undefined(tmp_path):
    plan = SimpleNamespace(test=("c2", "c1"), evaluate_on={"z": ("c3",), "a": ("c4",)})
    for block in ("last", "best"):
        for name, identity in (("a", "c4"), ("main", "c1"), ("z", "c3"), ("main", "c2")):
            record(tmp_path, block, name, identity, None if identity == "c1" else 0.25)
    found = collect(plan, tmp_path, ("best", "last"), "cases")
    places = [(row["block"], row["dataset"], row["case"]) for row in found]
    order = [("main", "c2"), ("main", "c1"), ("z", "c3"), ("a", "c4")]
    assert places == [(block, *place) for block in ("best", "last") for place in order]
    assert [math.isnan(row["relative_volume_difference"]) for row in found[:3]] == [False, True, False]
    assert collect(plan, tmp_path, ("best",), "lesions") == []


def test_a_block_is_repeated_with_its_own_name(tmp_path):
    plan = SimpleNamespace(test=("c1",), evaluate_on={"z": ("c2",), "none": ()})
    for name, identity in (("main", "c1"), ("z", "c2")):
        record(tmp_path, "best", name, identity, 0.5)
        masks = tmp_path / "predictions" / name / "best"
        masks.mkdir(parents=True)
        (masks / "mask.nii.gz").write_bytes(b"mask of " + name.encode())
    for _ in range(2):  # again, as after a kill in the middle of it
        repeat_block(plan, tmp_path, "best", "last")
        assert [row["block"] for row in collect(plan, tmp_path, ("last",), "cases")] == ["last", "last"]
        assert (tmp_path / "predictions" / "z" / "last" / "mask.nii.gz").read_bytes() == b"mask of z"
