"""What the README shows of a run comes from its records, and is the same every time."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

import bench
from bench.errors import RunError

ROOT = Path(__file__).parents[2]
PICTURES = ("examples.png", "dice_by_case.png")
README = "before\n<!-- figures: begin; of a run -->\nolder figures\n<!-- end -->\nafter\n<!-- end -->\n"
SUITE = """
title: Two losses
dataset: {format: phantom, cases: 6, size: [24, 40, 40]}
split: {train: 3, validation: 1, test: 2}
preprocessing: {window: [-60, 140]}
sampling: {patch_size: [16, 16, 16]}
backbone: {name: residual_unet, widths: [2, 4], affine: true, linear_head: true}
training: {steps: 3}
threshold_baselines: true
methods:
  - {id: dice, label: Soft Dice, loss: {name: dice}}
  - {id: ce, label: CE, loss: {name: cross_entropy}}
"""


@pytest.fixture(scope="module")
def figures():
    spec = importlib.util.spec_from_file_location("readme_figures", ROOT / "docs" / "readme_figures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMBALANCE_BENCH_CACHE", str(folder / "cache"))
        (folder / "two.yaml").write_text(SUITE, encoding="utf-8")
        bench.run(folder / "two.yaml", out=folder / "run", device="cpu", workers=1)
    return folder / "run"


def shown(figures, run_folder: Path, root: Path) -> dict[str, bytes]:
    root.mkdir()
    (root / "README.md").write_text(README, encoding="utf-8")
    figures.show(bench.load(run_folder), root)
    return {path.name: path.read_bytes() for path in (root / "README.md", *(root / "docs" / "images").iterdir())}


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes(figures, run_folder, tmp_path):
    first, second = (shown(figures, run_folder, tmp_path / name) for name in ("first", "second"))
    assert first == second
    assert {"README.md", *PICTURES} == set(first)


@pytest.mark.slow
def test_only_the_marked_part_of_the_readme_is_replaced(figures, run_folder, tmp_path):
    text = shown(figures, run_folder, tmp_path / "root")["README.md"].decode()
    assert text.startswith("before\n<!-- figures: begin; of a run -->\n![")
    assert text.endswith("<!-- end -->\nafter\n<!-- end -->\n")
    assert "older figures" not in text


@pytest.mark.slow
def test_table_and_caption_are_those_of_the_records(figures, run_folder, tmp_path):
    run = bench.load(run_folder)
    text = shown(figures, run_folder, tmp_path / "root")["README.md"].decode()
    best = run.cases[(run.cases["block"] == "best") & (run.cases["reference_voxels"] > 0)]
    for label, dice in best.groupby("label")["dice"].mean().items():
        (row,) = [line for line in text.splitlines() if line.startswith(label)]
        assert f" {dice:.3f} ± " in row
    (caption,) = [line for line in text.splitlines() if line.startswith("`two.yaml`")]
    for fact in ("profile `suite`", "3 steps a row", run.cells["provenance.torch"].iloc[0], *run.baselines):
        assert fact[1:] in caption
    assert "The order of methods on it is not a finding." in caption


@pytest.mark.slow
def test_a_run_with_a_missing_cell_is_not_shown(figures, run_folder, tmp_path):
    copy = shutil.copytree(run_folder, tmp_path / "run")
    cell = next((copy / "cells").glob("ce-*"))
    shutil.rmtree(cell)
    with pytest.raises(RunError, match=f"not finished: {cell.name}; the README shows whole runs only"):
        figures.show(bench.load(copy), tmp_path)


@pytest.mark.slow
def test_a_run_without_its_slices_is_not_shown(figures, run_folder, tmp_path):
    copy = shutil.copytree(run_folder, tmp_path / "run")
    shutil.rmtree(copy / "previews")
    with pytest.raises(RunError, match="nothing can be drawn"):
        figures.show(bench.load(copy), tmp_path)
