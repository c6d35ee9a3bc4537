"""`score` gives anyone's masks the scores and columns of a run."""

from __future__ import annotations

import csv
import shutil

import numpy as np
import pytest

from bench.data.cache.store import CaseCache
from bench.data.prepared import open_prepared
from bench.data.reading import read_labels
from bench.data.volume import Geometry
from bench.data.writing import write_labels
from bench.evaluation.scoring import SCORE_COLUMNS
from bench.results.run_directory import RunDirectory


def table(path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture
def masks(uninterrupted, workshop):
    """The references of a run's test cases, and what a method predicted of them."""
    (cell,) = (uninterrupted / "cells").glob("dice-*")
    (workshop.folder / "reference").mkdir()
    shutil.copytree(cell / "predictions" / "main" / "best", workshop.folder / "prediction")
    cache = CaseCache.of_user()
    plan = RunDirectory(uninterrupted).read_run()["plan"]
    cases = {job["case"]: cache.folder(job["id"]) for job in plan["prepare"]}
    for mask in (workshop.folder / "prediction").iterdir():
        case = mask.name.removesuffix(".nii.gz")
        labels = open_prepared(cases[case]).reference()
        _, grid = read_labels(case, mask)
        write_labels(workshop.folder / "reference" / mask.name, labels, grid)
    return cell


def test_the_scores_are_those_of_the_run(program, workshop, masks):
    answer = program("score", "--reference", "reference", "--prediction", "prediction", "--out", "scores.csv")
    assert answer.code == 0
    found = {row["case"]: row for row in table(workshop.folder / "scores.csv")}
    expected = {row["case"]: row for row in table(masks / "cases.csv") if row["block"] == "best"}
    assert found.keys() == expected.keys()
    for case, row in expected.items():
        assert {key: found[case][key] for key in SCORE_COLUMNS} == {key: row[key] for key in SCORE_COLUMNS}
    assert "2 cases, 2 with target" in answer.out
    assert "hausdorff95_mm" in answer.out


def test_a_label_and_a_tolerance_can_be_chosen(program, workshop):
    labels = np.zeros((4, 8, 8), np.int16)
    labels[1:3, 2:6, 2:6] = 2
    labels[0] = 1
    grid = Geometry.plain(labels.shape, (2.0, 1.0, 1.0))
    for name, shift in (("a", 0), ("b", 1)):
        (workshop.folder / name).mkdir()
        write_labels(workshop.folder / name / "case.nii.gz", np.roll(labels, shift, axis=2), grid)
    arguments = ("score", "--reference", "a", "--prediction", "b", "--label", "2", "--out", "scores.csv")
    program(*arguments, "--tolerance-mm", "0.5")
    (strict,) = table(workshop.folder / "scores.csv")
    program(*arguments, "--tolerance-mm", "1.5")
    (loose,) = table(workshop.folder / "scores.csv")
    assert float(strict["dice"]) == float(loose["dice"]) == 0.75
    assert float(strict["surface_dice"]) < float(loose["surface_dice"]) == 1.0


def test_folders_and_labels_that_do_not_fit_are_refused(program, workshop, masks):
    missing = program("score", "--reference", "reference", "--prediction", "nowhere")
    assert (missing.code, "nowhere" in missing.err) == (1, True)
    label = program("score", "--reference", "reference", "--prediction", "prediction", "--label", "9")
    assert (label.code, "label 9 occurs in none of the 2 references" in label.err) == (1, True)
    next((workshop.folder / "prediction").iterdir()).unlink()
    lacking = program("score", "--reference", "reference", "--prediction", "prediction")
    assert lacking.code == 1
    assert "Traceback" not in missing.err + label.err + lacking.err


def test_a_file_that_cannot_be_written_is_refused_in_words(program, workshop, masks):
    answer = program("score", "--reference", "reference", "--prediction", "prediction", "--out", "nowhere/scores.csv")
    assert answer.code == 1
    assert "nowhere" in answer.err
