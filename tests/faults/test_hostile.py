"""Files from strangers: nothing in them is executed or written outside the run directory, and they are named."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pickle
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from bench.errors import BenchError, DataError, RunError, SuiteError
from bench.execution.status import read_status
from bench.files.checksum import DamagedError, seal_folder, verify_folder
from bench.results.run_directory import RunDirectory

OUTSIDE = ("../../evil", "/tmp/imbalance-bench-evil", "..", ".hidden", "a/../../evil", "", "x" * 300)
"""Ids that are no plain names."""
DEEP = "[" * 200_000


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.fixture
def sentinel(tmp_path):
    """The file that a payload would make; the test fails if it did."""
    path = tmp_path / "executed"
    yield path
    assert not path.exists()


@pytest.fixture
def outside(tmp_path, finished):
    """A folder beside the run that must stay as it is, whatever the run directory says."""
    folder = tmp_path / "outside"
    (folder / "resume").mkdir(parents=True)
    for name in ("secret.txt", ".tmp-mine", "resume/step-00000001-0123456789abcdef.pt", "cases.csv"):
        (folder / name).write_text("mine")
    before = state(tmp_path, finished)
    yield folder
    assert state(tmp_path, finished) == before


def state(folder: Path, but: Path) -> dict[str, bytes | None]:
    """Every file and folder, but for those of the run and of suites."""
    items = (item for item in folder.rglob("*") if not item.is_relative_to(but) and item.suffix != ".yaml")
    return {str(item): item.read_bytes() if item.is_file() else None for item in items}


def uses(workshop, run: RunDirectory):
    """Everything that reads a run directory."""
    return (workshop.work, read_status, workshop.report)


def rewritten(run: RunDirectory, *path, value) -> None:
    """Change run.json at a path."""
    content = json.loads(run.run_file.read_text())
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    run.run_file.write_text(json.dumps(content))


def test_a_pickle_among_the_checkpoints_of_a_published_cell_is_refused_and_not_executed(workshop, finished, sentinel):
    (cell,) = finished.glob("cells/dice-*")
    buffer = io.BytesIO()
    torch.save({"weights": Trap(sentinel)}, buffer, pickle_module=pickle)
    (cell / "checkpoints" / "best.pt").write_bytes(buffer.getvalue())
    seal_folder(cell)
    (mask,) = list(cell.glob("predictions/main/best/*.nii.gz"))[:1]
    done = workshop.command("predict", cell, mask, "out.nii.gz", "--roi", mask, code=1)
    assert f"{cell / 'checkpoints' / 'best.pt'}: refused" in done.stderr
    assert "could execute code" in done.stderr
    assert not (workshop.folder / "out.nii.gz").exists()


def test_an_array_of_objects_in_the_cache_is_refused_and_not_executed(workshop, empty_cache, sentinel):
    run = workshop.work_until(workshop.begin(workshop.suite()), "dice", "training", 1)
    folder = sorted(empty_cache.iterdir())[0]
    for entry in sorted(empty_cache.iterdir()):
        np.save(entry / "image.npy", np.array([Trap(sentinel)], dtype=object), allow_pickle=True)
        seal_folder(entry)
    with pytest.raises(DataError, match=rf"{folder.parent}/.*image\.npy"):
        workshop.work(run)


def test_a_case_in_the_cache_whose_id_leads_elsewhere_is_refused(workshop, empty_cache):
    run = workshop.work_until(workshop.begin(workshop.suite()), "dice", "training", 1)
    for entry in sorted(empty_cache.iterdir()):
        path = entry / "arrays.json"
        content = json.loads(path.read_text())
        content["description"]["id"] = "../../../../evil"
        path.write_text(json.dumps(content))
        seal_folder(entry)
    with pytest.raises(DataError, match=r"the case id '../../../../evil' cannot name a file; remove this folder"):
        workshop.work(run)
    assert not list(workshop.folder.rglob("evil*"))


def test_pickled_objects_among_the_slices_for_the_report_are_refused_and_not_executed(workshop, finished, sentinel):
    for path in finished.glob("previews/*.npz"):
        np.savez(path, image=np.array([Trap(sentinel)], dtype=object), labels=np.zeros(1), description=np.zeros(1))
    with pytest.raises(DataError, match=rf"{finished}/previews/\S+\.npz holds no slices of a case"):
        workshop.report(RunDirectory(finished))


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("place", [("cells", 0), ("prepare", 0)])
def test_an_id_in_a_plan_that_leads_out_of_the_run_directory_is_refused(workshop, finished, outside, name, place):
    run = RunDirectory(finished)
    content = json.loads(run.run_file.read_text())
    former = content["plan"][place[0]][place[1]]["id"]
    run.run_file.write_text(json.dumps(content).replace(json.dumps(former), json.dumps(name)))
    with pytest.raises(RunError, match=rf"{run.run_file}: plan|{run.run_file}: {place[0]}"):
        workshop.work(run)
    if place[0] == "cells":
        with pytest.raises(RunError, match=r"cannot name anything in cells/"):
            read_status(run)


def test_a_data_set_or_case_in_a_plan_that_leads_out_of_the_run_directory_is_refused(workshop, finished, outside):
    run = RunDirectory(finished)
    before = run.run_file.read_text()
    for path, value in (
        (("plan", "cells", 0, "evaluate_on"), {"../../../evil": []}),
        (("plan", "prepare", 0, "case"), "../../evil"),
        (("plan", "prepare", 0, "dataset"), "/tmp"),
        (("plan", "cells", 0, "test"), ["../../evil"]),
    ):
        rewritten(run, *path, value=value)
        with pytest.raises(RunError, match=f"{run.run_file}: "):
            workshop.work(run)
        run.run_file.write_text(before)


@pytest.mark.parametrize("name", ["cells", "work", "claims", "tables", "plots", "logs", "previews"])
def test_a_link_in_place_of_a_folder_of_the_run_is_refused_by_all(workshop, finished, outside, name):
    run = RunDirectory(finished)
    if (finished / name).exists():
        (finished / name).rename(finished / f"former-{name}")
    (finished / name).symlink_to(outside)
    for use in uses(workshop, run):
        with pytest.raises(RunError, match=rf"{finished / name} is a link to {outside}, outside the run directory"):
            use(run)
    with pytest.raises(RunError, match="outside the run directory"):
        workshop.begin(workshop.suite(), out=finished)


@pytest.mark.parametrize("name", ["run.lock", "report.lock", "events.jsonl", "claims/dice.lock", "work/dice/resume"])
def test_a_link_in_place_of_a_file_that_is_written_to_is_refused_by_all(workshop, finished, outside, name):
    path = finished / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(outside / ("resume" if name.endswith("resume") else "secret.txt"))
    for use in uses(workshop, RunDirectory(finished)):
        with pytest.raises(RunError, match=rf"{path} is a link to {outside}"):
            use(RunDirectory(finished))


def test_links_that_stay_inside_a_run_directory_are_the_users_own_affair(finished):
    (finished / "work").mkdir(exist_ok=True)
    (finished / "latest").symlink_to("cells")
    assert read_status(RunDirectory(finished)).finished


@pytest.mark.parametrize("name", ["cases.csv", "cell.json", "predictions/main/best"])
def test_a_link_inside_a_published_cell_is_named_whatever_its_seal_says(workshop, finished, outside, name):
    (cell,) = finished.glob("cells/ce-*")
    target = outside if (cell / name).is_dir() else outside / "cases.csv"
    shutil.rmtree(cell / name) if (cell / name).is_dir() else (cell / name).unlink()
    (cell / name).symlink_to(target)
    with pytest.raises(DamagedError, match=rf"{cell}: .*{name} was replaced by a link"):
        verify_folder(cell)
    if name.endswith("csv"):
        seal = json.loads((cell / "seal.json").read_text())
        seal["sha256"][name] = hashlib.sha256(b"mine").hexdigest()
        (cell / "seal.json").write_text(json.dumps(seal))
        with pytest.raises(RunError, match=rf"{cell / name} is no plain file"):
            workshop.report(RunDirectory(finished))


@pytest.mark.parametrize("name", ["../../../outside/secret.txt", "/etc/hostname"])
def test_a_seal_that_names_files_elsewhere_is_damage_and_they_are_not_looked_at(finished, outside, name, monkeypatch):
    (cell,) = finished.glob("cells/ce-*")
    seal = json.loads((cell / "seal.json").read_text())
    seal["sha256"][name] = hashlib.sha256(b"mine").hexdigest()
    (cell / "seal.json").write_text(json.dumps(seal))
    with pytest.raises(DamagedError, match=rf"{cell}: {name} is missing"):
        verify_folder(cell)


def test_rows_whose_case_leads_elsewhere_are_refused(workshop, finished, outside):
    (cell,) = finished.glob("cells/ce-*")
    text = (cell / "cases.csv").read_text().splitlines()
    fields = text[1].split(",")
    fields[2] = "../../../../../outside/secret"
    (cell / "cases.csv").write_text("\n".join([text[0], ",".join(fields), *text[2:]]) + "\n")
    seal_folder(cell)
    with pytest.raises(RunError, match=rf"{cell / 'cases.csv'}:2: case is '../.*', which cannot name a file"):
        workshop.report(RunDirectory(finished))


@pytest.mark.parametrize("name", ["run.json", "cells/ce-*/cell.json", "cells/ce-*/seal.json"])
@pytest.mark.parametrize("kind", ["deep", "large"])
def test_json_that_would_exhaust_stack_or_memory_is_refused_with_its_name(workshop, finished, name, kind):
    (path,) = finished.glob(name)
    if kind == "deep":
        path.write_text(DEEP)
    else:
        os.truncate(path, 300_000_000)  # takes no room on the disk
    if path.name == "cell.json":
        seal_folder(path.parent)
    said = "nested too deeply|is not JSON" if kind == "deep" else r"300,000,000 bytes"
    with pytest.raises(RunError, match=rf"{path} .*({said})"):
        workshop.report(RunDirectory(finished))


SUITES = {
    "!!python/object/apply:os.system ['touch executed']": "the suite language has no tags",
    "&a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n"
    + "\n".join(
        f"{chr(99 + i)}: &{chr(99 + i)} [{', '.join([f'*{chr(98 + i)}'] * 20)}]" for i in range(12)
    ): "values once every alias is written out",
}


@pytest.mark.parametrize("payload", SUITES)
def test_a_suite_that_would_execute_or_explode_is_refused_at_its_line(workshop, sentinel, payload):
    path = workshop.folder / "hostile.yaml"
    path.write_text(f"a: {payload}\n")
    done = workshop.command("run", path, code=2)
    assert SUITES[payload] in done.stderr
    assert f"{path}:" in done.stderr
    assert not list(workshop.folder.glob("runs*"))


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "a/b", ".."])
def test_names_in_a_suite_cannot_lead_out_of_the_run_directory(workshop, name):
    phantom = {"format": "phantom", "cases": 2}
    for changes in (
        {"methods": [{"id": name, "loss": {"name": "dice"}}]},
        {"evaluate_on": {name: phantom}},
        {"profiles": {name: {}}},
    ):
        with pytest.raises(SuiteError, match=rf"tiny\.yaml:\d+:\d+: found .*'{re.escape(name)}'"):
            workshop.plan(workshop.suite(**changes), out=None)
    assert [path.name for path in workshop.folder.iterdir()] == ["tiny.yaml"]


def test_a_split_file_with_tags_or_endless_aliases_is_only_text(workshop, sentinel):
    path = workshop.folder / "split.yml"
    laughs = "\n".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 20)}]" for i in range(12))
    for text in (
        "train: !!python/object/apply:os.system ['touch executed']\ntest: [a]\n",
        f"train: !!python/object/apply:builtins.open [{sentinel}, w]\nvalidation: [b]\n",
        f"a: &a [x]\n{laughs}\n",
        DEEP,
    ):
        path.write_text(text)
        suite = workshop.suite(split={"file": str(path), "train": None, "validation": None, "test": None, "seed": None})
        with pytest.raises(BenchError, match=r"split\.yml"):
            workshop.plan(suite)


HEADER = struct.pack("<i", 348).ljust(40, b"\0") + struct.pack("<8h", 3, 30_000, 30_000, 30_000, 1, 1, 1, 1)


def giant() -> bytes:
    """A NIfTI file of a few hundred bytes that claims 27 million million voxels."""
    header = bytearray(HEADER.ljust(352, b"\0"))
    header[70:74] = struct.pack("<2h", 16, 32)
    header[76:108] = struct.pack("<8f", 1, 1, 1, 1, 0, 0, 0, 0)
    header[108:112] = struct.pack("<f", 352)
    header[344:348] = b"n+1\0"
    return gzip.compress(bytes(header), mtime=0)  # part of a test's name, which all processes must give alike


@pytest.mark.parametrize("content", [b"<!doctype html>", giant(), pickle.dumps({"a": 1})])
def test_a_predicted_mask_that_is_none_is_named_by_the_score_command(workshop, tmp_path, content, finished):
    name = "a.nii.gz"
    for folder in ("references", "predictions"):
        (tmp_path / folder).mkdir()
    (mask,) = list(finished.glob("cells/ce-*/predictions/main/best/*.nii.gz"))[:1]
    (tmp_path / "references" / name).write_bytes(mask.read_bytes())
    (tmp_path / "predictions" / name).write_bytes(content)
    done = workshop.command("score", "--reference", "references", "--prediction", "predictions", code=1)
    assert "Traceback" not in done.stderr
    assert f"predictions/{name}" in done.stderr


@pytest.mark.parametrize("escape", ["../../secret/passwd", "/etc/passwd", "imagesTr/../../secret/passwd"])
@pytest.mark.parametrize("kind", ["decathlon", "nnunet"])
def test_a_dataset_json_that_names_files_elsewhere_is_refused(workshop, tmp_path, kind, escape):
    root = tmp_path / "nnUNet_raw" / "Dataset001_Evil"
    root.mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "passwd").write_text("root")
    if kind == "nnunet":
        escape = escape.replace("../../secret", "../../../secret") if not escape.startswith("/") else escape
        entries = {"dataset": {"a": {"images": [escape], "label": "labelsTr/a.nii.gz"}}}
    else:
        entries = {"training": [{"image": escape, "label": "labelsTr/a.nii.gz"}]}
    description = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "tumour": 1}, "file_ending": ".nii.gz"}
    (root / "dataset.json").write_text(json.dumps(description | entries))
    suite = workshop.suite(dataset={"format": kind, "root": str(root), "target": [1], "cases": None, "seed": None})
    text = yaml.safe_load(suite.read_text())
    text["dataset"] = {"format": kind, "root": str(root), "target": [1]}
    text["preprocessing"] = {}
    suite.write_text(yaml.safe_dump(text))
    with pytest.raises(DataError, match=rf"{root / 'dataset.json'}: names '{escape}', which lies outside"):
        workshop.plan(suite)


def test_a_case_of_a_dataset_json_that_is_called_like_a_path_is_refused(workshop, tmp_path, finished):
    root = tmp_path / "Dataset001_Evil"
    (root / "imagesTr").mkdir(parents=True)
    (mask,) = list(finished.glob("cells/ce-*/predictions/main/best/*.nii.gz"))[:1]
    (root / "imagesTr" / "a.nii.gz").write_bytes(mask.read_bytes())
    files = {"images": ["imagesTr/a.nii.gz"], "label": "imagesTr/a.nii.gz"}
    description = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "tumour": 1}, "file_ending": ".nii.gz"}
    (root / "dataset.json").write_text(json.dumps({**description, "dataset": {"../../evil": files}}))
    suite = workshop.suite()
    text = yaml.safe_load(suite.read_text())
    text["dataset"], text["preprocessing"] = {"format": "nnunet", "root": str(root), "target": [1]}, {}
    suite.write_text(yaml.safe_dump(text))
    with pytest.raises(DataError, match=r"case id '../../evil' cannot name a folder"):
        workshop.plan(suite)
