"""From YAML to the table for each kind of data: folds, evaluation-only sets, 2D images, several classes."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

import bench

COMMON = """
title: Small
backbone: {name: residual_unet, widths: [2, 4]}
training: {steps: 4, validate_every: 2, checkpoint_every: 2}
methods:
  - {id: dice, loss: {name: dice}}
  - {id: sum, loss: {name: sum, terms: [{name: dice}, {name: cross_entropy, weight: 0.5}]}}
"""


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """Write a suite; everything it leaves behind stays in the test's folder."""
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "cache"))

    def write(text):
        path = tmp_path / "suite.yaml"
        path.write_text(COMMON + text)
        return path

    return write


def test_folds_test_every_patient_once_and_other_sets_are_only_evaluated_on(suite, tmp_path):
    path = suite(
        """
dataset: {format: phantom, cases: 6, size: [24, 32, 32]}
evaluate_on:
  clinic: {format: phantom, cases: 2, seed: 7, size: [24, 32, 32], target: [2], roi: [1, 2]}
split: {folds: 3, validation: 1}
sampling: {patch_size: [16, 16, 16]}
"""
    )
    run = bench.run(path, methods=["dice"], out=tmp_path / "run", device="cpu")
    tested = run.cases[(run.cases["dataset"] == "main") & (run.cases["block"] == "best")]
    assert sorted(tested["case"]) == [f"phantom-{i}" for i in range(6)]
    clinic = run.cases[run.cases["dataset"] == "clinic"]
    assert clinic.groupby(["fold", "block"])["case"].nunique().eq(2).all()
    table = (tmp_path / "run" / "tables" / "scores.md").read_text()
    assert "clinic" in table


def test_flat_images_with_two_classes_run_to_the_table(suite, tmp_path):
    random = np.random.default_rng(0)
    rows = []
    for case in range(6):
        labels = np.zeros((40, 48), np.uint8)
        labels[10:18, 10:20], labels[24:30, 28:34] = 1, 2
        image = (60 * labels + random.integers(0, 40, labels.shape)).astype(np.uint8)
        for name, array in (("image", image), ("label", labels)):
            sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / f"{name}-{case}.png"))
        rows.append({"image": f"image-{case}.png", "label": f"label-{case}.png"})
    with (tmp_path / "pairs.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["image", "label"])
        writer.writeheader()
        writer.writerows(rows)
    path = suite(
        """
dataset: {format: pairs, csv: pairs.csv, target: {disc: [1], cup: [2]}}
split: {validation: 1, test: 2}
preprocessing: {window: [0, 160]}
sampling: {patch_size: [32, 32], augmentation: none}
"""
    )
    run = bench.run(path, out=tmp_path / "run", device="cpu")
    assert list(run.cells["status"]) == ["finished", "finished"]
    assert set(run.cases["class"]) == {"disc", "cup"}
    assert run.cases["dice"].between(0, 1).all()
    masks = sorted((tmp_path / "run").glob("cells/*/predictions/main/best/*.nii.gz"))
    assert len(masks) == 4
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(masks[0]))).shape == (40, 48)


def write_two_channels(root, cases):
    """An nnU-Net folder: the first channel shows class 1, the second class 2."""
    random = np.random.default_rng(0)
    for case in range(cases):
        labels = np.zeros((12, 24, 24), np.uint8)
        labels[3:8, 4:12, 4:12], labels[5:9, 14:20, 12:18] = 1, 2
        arrays = {f"labelsTr/case_{case}": labels}
        for channel in (0, 1):
            noise = random.normal(0, 0.3, labels.shape)
            arrays[f"imagesTr/case_{case}_000{channel}"] = ((labels == channel + 1) + noise).astype(np.float32)
        for name, array in arrays.items():
            path = root / f"{name}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            sitk.WriteImage(sitk.GetImageFromArray(array), str(path))
    channels, labels = {"0": "T1", "1": "FLAIR"}, {"background": 0, "core": 1, "rim": 2}
    (root / "dataset.json").write_text(json.dumps({"channel_names": channels, "labels": labels}))
    folds = [{"train": ["case_0", "case_1", "case_2"], "val": ["case_3"]}]
    (root / "splits_final.json").write_text(json.dumps(folds))


def test_two_channels_and_two_classes_run_to_the_table_with_the_split_of_the_data(suite, tmp_path, empty_cache):
    write_two_channels(tmp_path / "raw", cases=4)
    path = suite(
        """
dataset: {format: nnunet, root: raw, target: {core: [1], rim: [2]}}
preprocessing: {normalise: zscore}
sampling: {patch_size: [8, 16, 16]}
"""
    )
    run = bench.run(path, out=tmp_path / "run", device="cpu")
    assert list(run.cells["status"]) == ["finished", "finished"]
    assert set(run.cases["case"]) == {"case_3"}
    assert set(run.cases["class"]) == {"core", "rim"}
    table = (tmp_path / "run" / "tables" / "scores.md").read_text()
    assert "core" in table
    assert "rim" in table
    (image,) = list(empty_cache.glob("case_3*/image.npy"))
    assert np.load(image).shape == (2, 12, 24, 24)


def test_two_classes_of_a_real_decathlon_task_run_to_the_table(suite, tmp_path):
    if "IMBALANCE_DATA" not in os.environ:
        pytest.skip("IMBALANCE_DATA is not set: no real scans here")
    source = Path(os.environ["IMBALANCE_DATA"]) / "hippocampus"
    content = json.loads((source / "dataset.json").read_text())
    content["training"] = content["training"][:5]
    for entry in content["training"]:
        for name in entry.values():
            (tmp_path / "task" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, tmp_path / "task" / name)
    (tmp_path / "task" / "dataset.json").write_text(json.dumps(content))
    path = suite(
        """
dataset: {format: decathlon, root: task, target: {anterior: [1], posterior: [2]}}
split: {validation: 1, test: 1}
preprocessing: {normalise: percentiles}
sampling: {patch_size: [16, 24, 16]}
"""
    )
    run = bench.run(path, out=tmp_path / "run", device="cpu")
    assert list(run.cells["status"]) == ["finished", "finished"]
    assert set(run.cases["class"]) == {"anterior", "posterior"}
    assert run.cases["reference_voxels"].gt(0).all()
