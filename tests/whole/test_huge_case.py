"""The largest scan of LiTS has 751×512×512 voxels: such a case is checked, cached, trained on, predicted and scored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.data.volume import Geometry
from bench.data.writing import write_image, write_labels

SHAPE, SPACING_MM = (751, 512, 512), (0.8, 0.7, 0.7)
LIMIT_GIB = 6.0
SUITE = """
title: Huge
dataset: {format: lits, root: scans, target: [2], roi: [1, 2]}
split: {file: split.json}
preprocessing: {window: [-60, 140]}
sampling: {patch_size: [96, 96, 96], batch_size: 2, augmentation: none}
backbone: {name: residual_unet, widths: [2, 4], encoder_blocks: [1], decoder_blocks: [1]}
training: {steps: 8, validate_every: 8, checkpoint_every: 4, learning_rate: 0.05}
evaluation: {window_overlap: 0}
methods:
  - {id: ce, loss: {name: cross_entropy}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two scans of full size, one to train on and one to test on, and a small one to select on."""
    scans = tmp_path / "scans"
    scans.mkdir()
    for number, shape in ((0, SHAPE), (1, SHAPE), (2, (64, 96, 96))):
        labels = np.zeros(shape, np.uint8)
        labels[tuple(slice(n // 4, 3 * n // 4) for n in shape)] = 1
        for centre in np.random.default_rng(number).uniform(0.35, 0.65, (20, 3)):
            z, y, x = (int(c * n) for c, n in zip(centre, shape, strict=True))
            labels[z : z + 6, y : y + 9, x : x + 9] = 2
        noise = np.random.default_rng(number).integers(-20, 20, shape, np.int16)
        write_image(
            scans / f"volume-{number}.nii", noise + 60 * labels.astype(np.int16), Geometry.plain(shape, SPACING_MM)
        )
        write_labels(scans / f"segmentation-{number}.nii.gz", labels, Geometry.plain(shape, SPACING_MM))
    parts = {"train": ["volume-0"], "validation": ["volume-2"], "test": ["volume-1"]}
    (tmp_path / "split.json").write_text(json.dumps(parts))
    (tmp_path / "suite.yaml").write_text(SUITE)
    return tmp_path


def peak_gib(folder: Path, *arguments: object) -> float:
    """Run `python -m bench …`; the largest resident set (`ru_maxrss`) of it and of every process that it started."""
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, arguments
    gib = usage.ru_maxrss / 2**20
    print(f"bench {arguments[0]} {arguments[1]}: at most {gib:.2f} GiB in one process")
    return gib


@pytest.mark.slow
def test_a_scan_of_751_slices_stays_below_6_gib_in_every_process(folder, monkeypatch):
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(folder / "cache"))
    image = folder / "scans" / "volume-1.nii"
    assert peak_gib(folder, "data", "check", "suite.yaml") < LIMIT_GIB
    assert peak_gib(folder, "run", "suite.yaml", "--out", "run", "--device", "cpu", "--workers", 1) < LIMIT_GIB
    cell = next((folder / "run" / "cells").iterdir())
    assert json.loads((cell / "cell.json").read_text())["status"] == "finished"
    assert (cell / "predictions" / "main" / "best" / "volume-1.nii.gz").is_file()
    assert peak_gib(folder, "predict", cell, image, folder / "predicted.nii.gz", "--device", "cpu") < LIMIT_GIB
    assert (folder / "predicted.nii.gz").is_file()
