"""Bad cases before a run: stopped with all of them named, or left out and listed under the tables."""

from __future__ import annotations

import json

import numpy as np
import pytest

import bench
from bench.data.volume import Geometry
from bench.data.writing import write_image, write_labels
from bench.errors import DataError
from bench.execution.planning import Request, plan_request
from bench.execution.preview import describe_plan

SHAPE = (8, 16, 16)
SUITE = """
title: Small
backbone: {{name: residual_unet, widths: [2, 4]}}
training: {{steps: 2, validate_every: 2, checkpoint_every: 2}}
methods:
  - {{id: dice, loss: {{name: dice}}}}
dataset: {{format: lits, root: scans, target: [2], roi: [1, 2], on_bad_case: {policy}}}
split: {{file: split.json}}
sampling: {{patch_size: [8, 16, 16], augmentation: none}}
"""


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """Seven scans: 4 is a web page, 5 has no label, 6 has the voxels of the tested 1."""
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "scans"
    root.mkdir()
    for number in range(7):
        labels = np.zeros(SHAPE, np.uint8)
        labels[1:7, 2:14, 2:14], labels[3:5, 4:9, 4:9] = 1, 2
        noise = np.random.default_rng(1 if number == 6 else number).normal(0, 0.3, SHAPE)
        write_image(root / f"volume-{number}.nii.gz", (labels + noise).astype(np.float32), Geometry.plain(SHAPE))
        write_labels(root / f"segmentation-{number}.nii.gz", labels, Geometry.plain(SHAPE))
    (root / "volume-4.nii.gz").write_text("<html>not found</html>")
    parts = {"train": [2, 3, 4, 5, 6], "validation": [0], "test": [1]}
    split = {part: [f"volume-{n}" for n in numbers] for part, numbers in parts.items()}
    (tmp_path / "split.json").write_text(json.dumps(split))

    def write(policy):
        path = tmp_path / "suite.yaml"
        path.write_text(SUITE.format(policy=policy))
        return path

    return write


def test_a_run_stops_before_training_with_all_errors_and_what_to_do(suite, tmp_path):
    with pytest.raises(DataError) as caught:
        bench.run(suite("fail"), out=tmp_path / "run", device="cpu")
    message = str(caught.value)
    assert "found 2 errors, nothing was trained" in message
    assert "unreadable: main/volume-4:" in message
    assert "leak: main/volume-6: in train, has the same voxels as main/volume-1 in test" in message
    assert "on_bad_case: skip" in message
    assert not (tmp_path / "run").exists()


def test_skipped_cases_are_in_no_split_and_listed_under_the_tables(suite, tmp_path):
    path = suite("skip")
    (tmp_path / "scans" / "segmentation-5.nii.gz").unlink()
    run = bench.run(path, out=tmp_path / "run", device="cpu")
    assert list(run.cells["status"]) == ["finished"]
    (cell,) = run.plan.values()
    assert [case.rpartition("-")[0] for case in cell["train"]] == ["volume-2", "volume-3"]
    table = (tmp_path / "run" / "tables" / "scores.md").read_text()
    for expected in ("left out before the split", "volume-4 (unreadable)", "volume-5 (pairing)", "volume-6 (leak)"):
        assert expected in table.replace("\\", "")


def test_unchanged_files_are_not_examined_again_before_the_next_run(suite, tmp_path, monkeypatch):
    path = suite("skip")
    bench.run(path, out=tmp_path / "run", device="cpu")
    monkeypatch.setattr("bench.data.checks.examine.examine", lambda *_: pytest.fail("a file was read again"))
    monkeypatch.setattr("bench.data.fingerprints.sha256_file", lambda *_: pytest.fail("a file was read again"))
    bench.run(path, out=tmp_path / "run", device="cpu")


def test_the_plan_names_the_cases_that_are_left_out(suite, tmp_path):
    request = Request(suite("skip"), out=tmp_path / "run")
    lines = describe_plan(plan_request(request, read_data=True), "cpu")
    assert "  left out  volume-4, volume-6 of main: errors in data check" in lines
