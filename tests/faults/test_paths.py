"""Awkward names: spaces, any script, too long, links that go round in circles, names that differ in capitals only."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import bench
from bench.data.dataset import open_dataset
from bench.data.formats.lits import LitsSettings
from bench.data.formats.pairs import PairsSettings
from bench.errors import DataError, SuiteError

AWKWARD = "Läsionen 肝臓 (2) 'a' #1 %s"

SUITE = """
title: Small
dataset: {format: pairs, csv: list.csv, target: [1, 2]}
split: {train: 2, validation: 1, test: 1}
preprocessing: {window: [-60.0, 140.0]}
sampling: {patch_size: [16, 16, 16]}
backbone: {name: residual_unet, widths: [2, 4]}
training: {steps: 2, validate_every: 2, checkpoint_every: 2}
methods: [{id: dice, loss: {name: dice}}]
"""


@pytest.fixture
def listed(tmp_path):
    """Four scans with awkward names in an awkward folder, and the suite beside their list."""
    from bench.data.phantom.export import write_lits
    from bench.data.phantom.settings import PhantomSettings

    folder = tmp_path / AWKWARD
    folder.mkdir()
    settings = PhantomSettings(cases=4, size=(20, 32, 32), spacing_mm=(6.0, 5.0, 5.0))
    write_lits(tmp_path / "plain", settings)
    lines = ["case,image,label"]
    for number in range(4):
        for kind, name in (("volume", "Bild 像"), ("segmentation", "Maske 像")):
            (found,) = (tmp_path / "plain").glob(f"{kind}-{number}.nii*")
            shutil.move(found, folder / f"{name} {number}.nii.gz")
        lines.append(f"肝-{number},Bild 像 {number}.nii.gz,Maske 像 {number}.nii.gz")
    (folder / "list.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "suite.yaml").write_text(SUITE, encoding="utf-8")
    return folder


def test_spaces_quotes_and_any_script_in_every_path_reach_the_table(listed, monkeypatch):
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(listed / "cache 箱"))
    run = bench.run(listed / "suite.yaml", out=listed / "Lauf 1", device="cpu", workers=1)
    assert set(run.cells["status"]) == {"finished"}
    (case,) = set(run.cases["case"])
    assert case.startswith("肝-")
    assert list((listed / "Lauf 1").glob(f"cells/*/predictions/main/best/{case}.nii.gz"))
    assert (listed / "Lauf 1" / "tables" / "scores.md").is_file()


@pytest.mark.parametrize("name", ["x" * 300 + ".nii.gz", "loop.nii.gz", "loop/a.nii.gz"])
def test_a_listed_file_whose_name_is_too_long_or_goes_in_circles_is_named(listed, name):
    (listed / "loop").symlink_to("loop")
    (listed / "loop.nii.gz").symlink_to("loop.nii.gz")
    (listed / "list.csv").write_text(f"image,label\n{name},Maske 像 0.nii.gz\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"names files that do not exist: .*" + name[-20:]):
        open_dataset(PairsSettings(csv=listed / "list.csv", target=(1,))).cases()


def test_links_that_go_in_circles_are_not_walked(listed, tmp_path):
    root = tmp_path / "lits"
    root.mkdir()
    shutil.copy(listed / "Bild 像 0.nii.gz", root / "volume-0.nii.gz")
    shutil.copy(listed / "Maske 像 0.nii.gz", root / "segmentation-0.nii.gz")
    (root / "again").symlink_to(root)
    (root / "loop").symlink_to("loop")
    (case,) = open_dataset(LitsSettings(root=root, target=(1,))).cases()
    assert case.id == "volume-0"


def test_a_case_whose_name_is_too_long_for_a_folder_is_refused_by_its_id(listed):
    text = (listed / "list.csv").read_text(encoding="utf-8").replace("肝-0,", "肝" * 120 + ",")
    (listed / "list.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"case id '肝+' cannot name a folder; expected up to 100 letters"):
        open_dataset(PairsSettings(csv=listed / "list.csv", target=(1,))).cases()


@pytest.mark.parametrize("path", [Path("x" * 300 + ".yaml"), Path("loop.yaml")])
def test_a_suite_whose_path_cannot_be_opened_is_named(workshop, path):
    (workshop.folder / "loop.yaml").symlink_to("loop.yaml")
    with pytest.raises(SuiteError, match=f"{path.name[-20:]}: found"):
        workshop.plan(workshop.folder / path)


def test_methods_and_data_sets_that_differ_in_capitals_only_are_refused(workshop):
    methods = [{"id": name, "loss": {"name": "dice"}} for name in ("Dice", "dice")]
    with pytest.raises(SuiteError, match=r"the method id 'dice' is taken \(by 'Dice'\)"):
        workshop.plan(workshop.suite(methods=methods))
