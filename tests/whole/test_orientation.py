"""Scans that are stored in different orientations, from the file to the predicted mask."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest

import bench
from bench.evaluation.files import score_folders

SUITE = """
title: Small
backbone: {name: residual_unet, widths: [2, 4]}
training: {steps: 2, validate_every: 2, checkpoint_every: 2}
methods:
  - {id: dice, loss: {name: dice}}
dataset: {format: lits, root: scans, target: [2], roi: [1, 2]}
split: {file: split.yaml}
sampling: {patch_size: [8, 16, 16], augmentation: none}
"""
STORED = {
    1: np.array([[0, 2.0, 0, 5], [1.0, 0, 0, -9], [0, 0, -3.0, 40], [0, 0, 0, 1]]),
    2: np.array([[0, 0, -1.0, 7], [2.0, 0, 0, 1], [0, 3.0, 0, 2], [0, 0, 0, 1]]),
}
"""Affines of turned scans; every other one is stored with axes towards left, back and head."""


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "scans").mkdir()
    for number in range(4):
        affine = STORED.get(number, np.diag([-1.0, -2.0, 3.0, 1.0]))
        labels = np.zeros((14, 18, 22), np.uint8)
        labels[2:12, 2:16, 2:20], labels[5:8, 5:9, 6:14] = 1, 2
        noise = np.random.default_rng(number).normal(0, 0.3, labels.shape)
        for name, array in (("volume", (labels + noise).astype(np.float32)), ("segmentation", labels)):
            nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / f"scans/{name}-{number}.nii.gz")
    parts = {"train": [3], "validation": [0], "test": [1, 2]}
    lines = [f"{part}: [{', '.join(f'volume-{n}' for n in numbers)}]" for part, numbers in parts.items()]
    (tmp_path / "split.yaml").write_text("\n".join(lines))
    (tmp_path / "suite.yaml").write_text(SUITE)
    return tmp_path / "suite.yaml"


def test_predicted_masks_have_the_axes_of_their_scans_and_the_scores_of_the_table(suite, tmp_path):
    run = bench.run(suite, out=tmp_path / "run", device="cpu")
    assert list(run.cells["status"]) == ["finished"]
    (masks,) = list((tmp_path / "run").glob("cells/*/predictions/main/best"))
    references = tmp_path / "references"
    references.mkdir()
    for number, affine in STORED.items():
        mask = nibabel.load(masks / f"volume-{number}.nii.gz")
        assert mask.shape == (14, 18, 22)
        assert np.allclose(mask.affine, affine, atol=1e-4)
        label = nibabel.load(tmp_path / f"scans/segmentation-{number}.nii.gz")
        target = (np.asanyarray(label.dataobj) == 2).astype(np.uint8)
        nibabel.save(nibabel.Nifti1Image(target, affine), references / f"volume-{number}.nii.gz")
    again = {row["case"]: row["dice"] for row in score_folders(references, masks)}
    best = run.cases[run.cases["block"] == "best"].set_index("case")["dice"]
    assert again == pytest.approx(best.to_dict())
