"""A package with entry points, installed by pip: its losses and target maps are known by name like those built in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import losses
from bench.errors import SuiteError
from losses import LossError, target_maps
from losses.contract import check

PACKAGE = Path(__file__).parent / "plugin_package"
METHODS = [{"id": "dice", "loss": {"name": "dice"}}, {"id": "shifted", "loss": {"name": "shifted_dice"}}]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The package as pip installs it, in a folder of its own."""
    folder = tmp_path_factory.mktemp("package")
    source = shutil.copytree(PACKAGE, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(folder / "site"), str(source)]
    subprocess.run(command, check=True, env={**os.environ, "PIP_NO_INDEX": "1"})
    return folder / "site"


@pytest.fixture
def site(built, tmp_path, monkeypatch):
    """The package on the path, here and in processes started from here."""
    folder = shutil.copytree(built, tmp_path / "site")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")])))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "tiny_losses"]:
        del sys.modules[name]


def identities(workshop) -> dict[str, dict]:
    """What makes the cells of a suite with the package's loss what they are, by method."""
    return {cell.method: cell.identity for cell in workshop.plan(workshop.suite(methods=METHODS)).plan.cells}


def test_its_names_are_known_before_anything_of_it_is_imported(site):
    assert "shifted_dice" in losses.available()
    assert "bullseye" in target_maps.available()
    assert not [name for name in sys.modules if name.startswith("tiny_losses")]


def test_its_loss_is_made_by_name_and_keeps_the_contract(site):
    loss = losses.create("shifted_dice", shift=2.0)
    given = torch.zeros(1, 2, 4, 4), torch.zeros(1, 4, 4, dtype=torch.int64)
    assert loss(*given) == 1 + losses.create("shifted_dice")(*given) == 2 + losses.create("dice")(*given)
    check(loss)
    assert str(site / "tiny_losses" / "shifted_dice.py") in losses.describe("shifted_dice").where


def test_its_target_map_is_computed_by_name(site):
    values = target_maps.compute("bullseye", np.eye(5, dtype=np.int8))
    assert (values == np.eye(5)[2]).all()
    assert target_maps.describe("bullseye").stored_dtype == "float16"


def test_its_version_is_part_of_the_identity_of_its_cells_and_of_no_others(workshop, site, tmp_path, monkeypatch):
    before = identities(workshop)
    assert before["shifted"]["plugins"] == {"loss shifted_dice": "tiny-losses 1.0"}
    assert "plugins" not in before["dice"]
    newer = tmp_path / "newer"
    shutil.copytree(site, newer)
    metadata = newer / "tiny_losses-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 1.1"))
    monkeypatch.setattr(sys, "path", [str(newer), *(path for path in sys.path if path != str(site))])
    after = identities(workshop)
    assert after["shifted"]["plugins"] == {"loss shifted_dice": "tiny-losses 1.1"}
    assert after["dice"] == before["dice"]


def test_a_file_of_the_suite_with_a_name_of_it_is_refused_with_both_places(workshop, site):
    text = (
        (site / "tiny_losses" / "shifted_dice.py")
        .read_text()
        .replace("class Shifted", '@losses.register("shifted_dice")\nclass Shifted')
    )
    (workshop.folder / "mine.py").write_text(text.replace("from torch", "import losses\nfrom torch"))
    with pytest.raises(SuiteError) as caught:
        workshop.plan(workshop.suite(plugins=["mine.py"], methods=METHODS))
    theirs, mine = site / "tiny_losses" / "shifted_dice.py", workshop.folder / "mine.py"
    assert "loss 'shifted_dice' is defined twice" in str(caught.value)
    assert f"({theirs}), entry point of tiny-losses 1.0 and " in str(caught.value)
    assert f"({mine})" in str(caught.value)


def test_a_class_of_this_process_with_a_name_of_it_is_refused_with_both_places(site):
    @losses.register("shifted_dice")
    class Here(losses.Loss):
        pass

    try:
        with pytest.raises(
            LossError, match=r"ShiftedDice \(.*entry point of tiny-losses 1\.0 and .*Here \(.*rename one"
        ):
            losses.create("shifted_dice")
    finally:
        losses.LOSSES.withdraw("shifted_dice")


@pytest.mark.slow
def test_its_loss_becomes_a_row_of_the_table(workshop, site):
    workshop.command("run", workshop.suite(methods=METHODS), "--out", "run", "--workers", 1)
    table = (workshop.folder / "run" / "tables" / "scores.md").read_text()
    assert any(line.startswith("| shifted") and "1/1" in line for line in table.splitlines()), table
