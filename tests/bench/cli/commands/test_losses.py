from __future__ import annotations

import json
import os
import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest

import losses
from bench.data.volume import Geometry
from bench.data.writing import write_labels
from losses.self_check.report import PROBES

PLUGIN = '''
"""A loss in one file."""

import torch

import losses
from losses.base import Loss


@losses.register("plain_error")
class PlainError(Loss):
    """Plain error: the mean absolute error of the foreground.

    L = mean over voxels of |p − g|

    Source: nobody's.
    """

    def compute(self, logits, labels, maps, voxel_weight):
        known = (labels >= 0).to(logits.dtype)
        error = (logits.softmax(1)[:, 1] - (labels == 1).to(logits.dtype)).abs()
        return (error * known).sum() / known.sum().clamp(min=1)
'''


@pytest.fixture
def bench(tmp_path):
    def run(*arguments, code=0):
        command = [sys.executable, "-m", "bench", "losses", *map(str, arguments)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return run


def test_list_has_one_line_per_loss_with_its_maps(bench):
    lines = bench("list").stdout.splitlines()
    assert [line.split()[0] for line in lines[2:]] == list(losses.available())
    (line,) = [line for line in lines if line.split()[0] == "map_dice"]
    assert line.split()[:3] == ["map_dice", "region", "norm_inverse"]


def test_show_prints_what_the_documentation_says(bench):
    text = bench("show", "tversky").stdout
    assert "1 − (TP + smooth) / (TP + fp_weight·FP + fn_weight·FN + smooth)" in text
    assert "fp_weight  0.3" in text
    assert "Salehi et al. 2017" in text
    for heading in ("Formula", "Parameters", "Source", "Deviations"):
        assert f"\n{heading}\n" in text
    assert "\x1b" not in text


def test_check_prints_a_page_and_draws_it(bench, tmp_path):
    done = bench("check", "tversky", "--set", "fp_weight=.5", "--set", "fn_weight=0.5", "--plot", "page.png")
    assert done.stdout.startswith("tversky  [look]\n")
    assert "fp_weight = 0.5" in done.stdout
    assert "On the battery it equals dice." in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stdout.endswith("page.png\n")
    assert done.stderr == ""
    assert matplotlib.image.imread(tmp_path / "page.png").shape[1] == 1200


def test_json_has_every_probe_and_exit_code_1_tells_what_is_broken(bench):
    done = bench(
        "check", "map_dice", "--set", "penalty_map=signed_norm_inverse", "--set", "allow_signed=true", "--json", code=1
    )
    page = json.loads(done.stdout)
    assert page["schema_version"] == 1
    (check,) = page["losses"]
    assert (check["loss"], check["outcome"]) == ("map_dice", "broken")
    findings = {finding["probe"]: finding for finding in check["findings"]}
    assert list(findings) == list(PROBES)
    assert findings["lowest"]["outcome"] == "broken"
    assert all(finding["ran"] and finding["says"] for finding in findings.values())


def test_a_plug_in_file_is_checked_like_any_loss(bench, tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN, encoding="utf-8")
    text = bench("check", "plain_error", "--plugin", "mine.py", code=1).stdout
    assert "the mask is reached after 1 step" in text
    assert "contract broken – a loss takes voxel weights" in text or "contract broken" in text
    assert "plain_error" in bench("list", "--plugin", "mine.py").stdout


def test_mistakes_are_told_in_words(bench, tmp_path):
    assert "Did you mean 'dice'" in bench("check", "dyce", code=1).stderr
    assert "fp_weight must be a number" in bench("check", "tversky", "--set", "fp_weight=-1", code=1).stderr
    assert "has no parameter 'weight'" in bench("check", "tversky", "--set", "weight=1", code=1).stderr
    assert "--all" in bench("check", code=2).stderr
    assert "nowhere.py" in bench("list", "--plugin", "nowhere.py", code=1).stderr
    assert "or --phantom" in bench("maps", "--out", "a.png", code=2).stderr


def test_maps_of_a_label_file_are_drawn_in_the_slice_of_largest_area(bench, tmp_path):
    labels = np.zeros((6, 20, 24), np.uint8)
    labels[1, 5:9, 5:9], labels[3, 4:12, 4:12] = 1, 2
    write_labels(tmp_path / "case.nii.gz", labels, Geometry.plain(labels.shape, (3.0, 1.0, 1.0)))
    bench("maps", "case.nii.gz", "--label", "2", "--out", "two.png")
    bench("maps", "case.nii.gz", "--label", "2", "--out", "one.png", "--maps", "norm_inverse")
    both = [matplotlib.image.imread(tmp_path / name).shape for name in ("two.png", "one.png")]
    assert both[0][0] > both[1][0] > 100
    wrong = bench("maps", "case.nii.gz", "--label", "3", "--out", "none.png", code=1)
    assert "values in the file: 0, 1, 2" in wrong.stderr
    assert not (tmp_path / "none.png").exists()


def test_maps_of_a_phantom_are_drawn_the_same_each_time(bench, tmp_path):
    for name in ("a.png", "b.png"):
        bench("maps", "--phantom", "--number", "1", "--out", name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.slow
def test_all_losses_are_checked_and_none_is_broken(bench, tmp_path):
    text = bench("check", "--all", "--plot", "all.png").stdout
    for name in losses.available():
        assert f"\n  {name} " in text
    assert "\nBroken" not in text
    assert (tmp_path / "all.png").exists()
