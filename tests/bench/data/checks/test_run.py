from __future__ import annotations

import json

import numpy as np
import pytest

from bench.data.checks import examine
from bench.data.checks.examine import Examiner
from bench.data.checks.run import apply_rules, inspect
from bench.data.dataset import open_dataset
from bench.data.formats.lits import LitsSettings
from bench.data.formats.nnunet import NnunetSettings
from bench.data.phantom.settings import PhantomSettings
from bench.data.settings import SplitSettings
from bench.data.volume import Geometry
from bench.data.writing import write_image, write_labels

SPLIT = SplitSettings(validation=1, test=1)


def test_unchanged_files_are_read_once(lits_folder, tmp_path, monkeypatch):
    root = lits_folder(0, 1, 2)
    datasets = {"main": open_dataset(LitsSettings(root=root, target=(2,), roi=(1, 2)))}

    def findings():
        return apply_rules(inspect(datasets, SPLIT, (2, 2, 2), cache=tmp_path / "cache"))

    first = findings()
    read = []
    monkeypatch.setattr(examine, "open_image", lambda path, channels=None: read.append(path) or opened(path, channels))
    from bench.data.opening import open_image as opened

    assert findings() == first
    assert read == []
    (root / "volume-1.nii.gz").write_bytes(b"<html>")
    changed = findings()
    assert {path.name for path in read} == {"volume-1.nii.gz", "segmentation-1.nii.gz"}
    assert [(f.rule, f.case) for f in changed if f.severity == "error"] == [("unreadable", "volume-1")]


def test_a_damaged_memory_costs_reading_again_and_nothing_else(lits_folder, tmp_path):
    dataset = open_dataset(LitsSettings(root=lits_folder(0), target=(2,)))
    (case,) = dataset.cases()
    examiner = Examiner(tmp_path)
    facts = examiner.facts(dataset, case, "f")
    (path,) = list(tmp_path.glob("*.json"))
    path.write_text("{")
    assert examiner.facts(dataset, case, "f") == facts
    assert json.loads(path.read_text())["label"]["values"]["2"] > 0


def test_generated_cases_pass_without_a_finding():
    dataset = open_dataset(PhantomSettings(format="phantom", cases=3, size=(24, 32, 32)))
    findings = apply_rules(inspect({"main": dataset}, SPLIT, (16, 16, 16)))
    assert [f for f in findings if f.severity == "error"] == []


def test_a_data_set_that_cannot_be_listed_is_one_error(tmp_path):
    dataset = open_dataset(NnunetSettings(root=tmp_path, target=(1,)))
    findings = apply_rules(inspect({"main": dataset}, SPLIT, (2, 2, 2)))
    assert {f.rule for f in findings} == {"listing", "split"}
    assert any("dataset.json cannot be read" in f.message for f in findings)


@pytest.mark.parametrize("declared", [1, 2])
def test_a_case_with_another_number_of_channels_is_an_error(tmp_path, declared):
    for number in range(3):
        shape = (4, 5, 6)
        image = np.random.default_rng(number).normal(size=shape).astype(np.float32)
        for channel in range(2 if number < 2 else 1):
            path = tmp_path / f"imagesTr/c{number}_000{channel}.nii.gz"
            path.parent.mkdir(exist_ok=True)
            write_image(path, image + channel, Geometry.plain(shape))
        label = tmp_path / f"labelsTr/c{number}.nii.gz"
        label.parent.mkdir(exist_ok=True)
        write_labels(label, (image > 1).astype(np.uint8), Geometry.plain(shape))
    names = {str(channel): "MR" for channel in range(declared)}
    (tmp_path / "dataset.json").write_text(json.dumps({"channel_names": names, "labels": {"background": 0, "x": 1}}))
    dataset = open_dataset(NnunetSettings(root=tmp_path, target=(1,)))
    findings = apply_rules(inspect({"main": dataset}, SPLIT, (2, 2, 2)))
    bad = {f.case for f in findings if f.rule == "pairing"}
    assert bad == ({"c2"} if declared == 2 else {"c0", "c1"})
