from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from bench.data.volume import Geometry
from bench.data.writing import write_image, write_labels

SUITE = """
title: Small
backbone: {name: residual_unet, widths: [2, 4]}
training: {steps: 4, validate_every: 2, checkpoint_every: 2}
methods:
  - {id: dice, loss: {name: dice}}
dataset: {format: lits, root: scans, target: [2], roi: [1, 2]}
split: {validation: 1, test: 1}
sampling: {patch_size: [4, 4, 4]}
"""
SHAPE = (6, 7, 8)


@pytest.fixture
def suite(tmp_path):
    """A suite over four small scans."""
    (tmp_path / "scans").mkdir()
    for number in range(4):
        labels = np.zeros(SHAPE, np.uint8)
        labels[1:5, 1:5, 1:5], labels[2, 2, 2:4], labels[4, 4, 4] = 1, 2, 2
        image = np.random.default_rng(number).normal(size=SHAPE).astype(np.float32)
        geometry = Geometry.plain(SHAPE, (2.0, 1.0, 1.0))
        write_image(tmp_path / f"scans/volume-{number}.nii.gz", image, geometry)
        write_labels(tmp_path / f"scans/segmentation-{number}.nii.gz", labels, geometry)
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE)
    return path


def bench(suite, *arguments):
    environment = os.environ | {"IMBALANCE_BENCH_CACHE": str(suite.parent / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)


def test_check_says_in_one_line_per_finding_what_is_wrong_and_exits_with_1(suite):
    good = bench(suite, "data", "check", str(suite))
    assert (good.returncode, good.stdout.splitlines()[-1]) == (
        0,
        "4 cases, 0 errors, 0 warnings (the suite has no profiles)",
    )
    (suite.parent / "scans/volume-2.nii.gz").write_bytes(b"")
    bad = bench(suite, "data", "check", str(suite))
    assert bad.returncode == 1
    line, summary, advice = bad.stdout.splitlines()
    assert line.split()[:3] == ["error", "unreadable", "main/volume-2:"]
    assert line.endswith("volume-2.nii.gz: the file is empty (0 bytes)")
    assert summary.startswith("4 cases, 1 errors")
    assert advice.startswith("repair the files or leave the cases out; `on_bad_case: skip`")


def test_stats_name_all_cases_that_cannot_be_read_or_do_without_them_as_the_suite_says(suite):
    for number in (1, 2):
        (suite.parent / f"scans/volume-{number}.nii.gz").write_bytes(b"")
    strict = bench(suite, "data", "stats", str(suite), "--out", str(suite.parent / "plots"))
    assert strict.returncode == 1
    assert "2 cases cannot be read" in strict.stderr
    assert "volume-1.nii.gz" in strict.stderr
    assert "volume-2.nii.gz" in strict.stderr
    skipping = ("--set", "dataset.on_bad_case=skip", "--out", str(suite.parent / "plots"))
    lenient = bench(suite, "data", "stats", str(suite), *skipping)
    assert lenient.returncode == 0, lenient.stderr
    assert [line.split(":")[0] for line in lenient.stdout.splitlines()].count("left out") == 2


def test_check_prints_the_same_as_json(suite):
    (suite.parent / "scans/segmentation-1.nii.gz").unlink()
    done = bench(suite, "data", "check", str(suite), "--json")
    content = json.loads(done.stdout)
    assert done.returncode == 1
    assert (content["cases"], content["errors"], content["warnings"]) == (3, 1, 0)
    (finding,) = content["findings"]
    assert finding["rule"] == "pairing"
    assert finding["case"] == "volume-1"
    assert finding["message"] == "volume-1 has no segmentation"


def test_stats_stand_beside_lits_with_a_histogram(suite):
    done = bench(suite, "data", "stats", str(suite), "--out", str(suite.parent / "plots"))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    (lesions,) = [line for line in lines if line.startswith("lesions per case")]
    assert "2 [2, 2]" in lesions
    assert lesions.endswith("3 [1, 9]")
    assert not any(line.startswith("warning") for line in lines)
    assert (suite.parent / "plots" / "lesion-sizes-main.png").stat().st_size > 1000
