"""`predict` is the very path of scoring: the same files in, the same mask out."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from bench.data.phantom.export import write_lits
from bench.data.phantom.settings import PhantomSettings
from bench.data.reading import read_labels
from bench.errors import BenchError, DataError, RunError
from bench.execution.prediction import predict_file


@pytest.fixture(scope="module")
def lits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lits") / "cases"
    write_lits(folder, PhantomSettings(cases=4, seed=3, size=(20, 32, 32), spacing_mm=(6.0, 5.0, 5.0)))
    return folder


@pytest.fixture
def trained(workshop, lits):
    """Make a cell that was trained on files."""

    def train(**changes):
        dataset = {"format": "lits", "root": str(lits), "target": [2], "roi": [1, 2], "cases": None, "seed": None}
        files = {
            "dataset": dataset | {"size": None, "spacing_mm": None},
            "split": {"train": 2, "validation": 1, "test": 1},
        }
        run = workshop.here(workshop.suite(**files, **changes), methods=("dice",))
        (cell,) = (run.path / "cells").iterdir()
        return cell

    return train


def predict(cell, lits, out, case: str = "", **options):
    given = {"roi": lits / f"segmentation-{case}.nii.gz", "checkpoint": "best", "device": "cpu", **options}
    predict_file(cell, (lits / f"volume-{case}.nii.gz",), out, **given)
    return out


def stored(cell, block: str):
    (path,) = (cell / "predictions" / "main" / block).iterdir()
    return path, path.name.removeprefix("volume-").removesuffix(".nii.gz")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"training": {"precision": "bf16", "memory_format": "contiguous"}},
        {"preprocessing": {"spacing_mm": [4.0, 4.0, 4.0], "interpolation": "cubic"}},
    ],
    ids=["channels last", "bf16", "resampled"],
)
def test_a_test_image_gives_exactly_the_mask_that_was_scored(trained, lits, tmp_path, changes):
    cell = trained(**changes)
    for block in ("best", "last"):
        path, case = stored(cell, block)
        out = predict(cell, lits, tmp_path / "out.nii.gz", case, checkpoint=block)
        assert out.read_bytes() == path.read_bytes()
        assert read_labels("case", path)[0].any()


def test_a_cell_predicts_by_its_own_suite_whatever_the_run_plans_now_and_wherever_it_lies(trained, lits, tmp_path):
    cell = trained()
    path, case = stored(cell, "best")
    moved = tmp_path / "elsewhere" / cell.name
    shutil.copytree(cell, moved)
    run_file = cell.parent.parent / "run.json"
    content = json.loads(run_file.read_text())
    content["suite"]["preprocessing"]["window"] = [0.0, 1.0]
    run_file.write_text(json.dumps(content))
    for place in (cell, cell.parent.parent / cell.name, moved):
        assert predict(place, lits, tmp_path / "out.nii.gz", case).read_bytes() == path.read_bytes()


def test_what_cannot_be_predicted_is_refused_in_words(trained, lits, tmp_path):
    cell = trained()
    out = tmp_path / "out.nii.gz"
    with pytest.raises(RunError, match="is no finished cell: expected RUN/cells/ID"):
        predict(tmp_path, lits, out, "0")
    with pytest.raises(RunError, match="has no checkpoint 'first'; a finished cell has best and last"):
        predict(cell, lits, out, "0", checkpoint="first")
    with pytest.raises(RunError, match="expected one that ends in"):
        predict(cell, lits, tmp_path / "out.png", "0")
    with pytest.raises(RunError, match="is one of the inputs and would be lost"):
        predict(cell, lits, lits / "segmentation-0.nii.gz", "0")
    with pytest.raises(RunError, match="there is no folder"):
        predict(cell, lits, tmp_path / "nowhere" / "out.nii.gz", "0")
    with pytest.raises(DataError, match="region of interest"):
        predict(cell, lits, out, "0", roi=None)
    with pytest.raises(DataError, match="volume-77"):
        predict(cell, lits, out, "77", roi=None)
    weights = cell / "checkpoints" / "best.pt"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(BenchError, match=r"best\.pt was altered"):
        predict(cell, lits, out, "0")
    assert not out.exists()


def test_the_mask_lies_on_the_image_s_own_grid(trained, lits, tmp_path):
    cell = trained()
    _, grid = read_labels("case", lits / "segmentation-0.nii.gz")
    labels, found = read_labels("case", predict(cell, lits, tmp_path / "out.nii.gz", "0"))
    assert found == grid
    assert set(np.unique(labels)) <= {0, 1}
