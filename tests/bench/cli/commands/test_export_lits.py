"""`export-lits` from the command line: masks for the LiTS server, from masks of the liver or a network for it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time

import nibabel
import numpy as np
import pytest


@pytest.fixture
def cell(program, workshop):
    """A tumour cell in the run `run`, and three test volumes with liver masks."""
    program("data", "phantom", "files", "--cases", "3")
    nothing = dict.fromkeys(("cases", "seed", "size", "spacing_mm"))
    dataset = {"format": "lits", "root": "files", "target": [2], "roi": [1, 2], **nothing}
    suite = workshop.suite(dataset=dataset, split={"train": 1, "validation": 1, "test": 1}, training={"steps": 4})
    run = workshop.here(suite, methods=("dice",))
    for kind, folder, name in (("volume", "images", "test-volume"), ("segmentation", "livers", "liver")):
        (workshop.folder / folder).mkdir()
        for number in range(3):
            source = workshop.folder / f"files/{kind}-{number}.nii.gz"
            shutil.copy(source, workshop.folder / folder / f"{name}-{number + 7}.nii.gz")
    (cell,) = run.path.glob("cells/*")
    return cell.name


@pytest.fixture
def arguments(cell):
    return ("export-lits", "run", cell, "--images", "images", "--out", "out", "--device", "cpu")


def test_masks_are_written_and_every_file_has_its_line(program, workshop, cell, arguments):
    answer = program(*arguments, "--liver", "livers")
    assert answer.code == 0, answer.err
    first, *lines = answer.out.splitlines()
    assert first.startswith(f"tumour from {cell} of run (checkpoint best, SHA-256 ")
    assert first.endswith("; liver from the masks in livers")
    assert [line.split()[0] for line in lines] == [f"out/test-segmentation-{number}.nii" for number in (7, 8, 9)]
    assert sorted(path.name for path in (workshop.folder / "out").glob("[!.]*")) == [
        "export.json",
        *(f"test-segmentation-{number}.nii" for number in (7, 8, 9)),
    ]
    mask = nibabel.load(workshop.folder / "out/test-segmentation-8.nii")
    image = nibabel.load(workshop.folder / "images/test-volume-8.nii.gz")
    assert (mask.shape, mask.affine.tobytes()) == (image.shape, image.affine.tobytes())
    assert mask.get_data_dtype() == np.uint8
    counts = json.loads((workshop.folder / "out/export.json").read_text())["files"]["test-segmentation-8.nii"]["voxels"]
    voxels = np.bincount(np.asanyarray(mask.dataobj).ravel(), minlength=3)
    assert voxels.tolist()[1:] == [counts["liver"], counts["tumour"]]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--liver-run", "run"), "give the run and its cell, or neither"),
        (("--liver-cell", "dice"), "give the run and its cell, or neither"),
        (("--liver", "livers", "--liver-run", "run", "--liver-cell", "dice"), "the liver comes from one place"),
    ],
    ids=["run alone", "cell alone", "both"],
)
def test_wrong_arguments_end_with_2(program, options, words):
    answer = program("export-lits", "run", "dice", "--images", "images", "--out", "out", *options)
    assert answer.code == 2
    assert words in answer.err


def test_a_refusal_ends_with_1_and_one_message(program, workshop, cell, arguments):
    for changed, words in (
        (arguments, "looks inside the liver only"),
        ((*arguments[:2], cell[:-1], *arguments[3:], "--liver", "livers"), f"Did you mean '{cell}'?"),
        ((*arguments, "--liver-run", "run", "--liver-cell", cell), "expected one class, the liver with its tumours"),
    ):
        answer = program(*changed)
        assert (answer.code, answer.out) == (1, "")
        (line,) = answer.err.splitlines()
        assert line.startswith("error: ")
        assert words in line
        assert not (workshop.folder / "out").exists()


@pytest.mark.slow
def test_killed_at_any_moment_the_same_command_goes_on(program, workshop, arguments):
    whole = [*arguments, "--liver", "livers"]
    assert program(*(part if part != "out" else "whole" for part in whole)).code == 0
    process = workshop.start(*whole)
    while process.poll() is None and not list((workshop.folder / "out").glob("test-*.nii")):
        time.sleep(0.005)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    answer = program(*whole)
    assert answer.code == 0, answer.err
    assert "files are complete already" in answer.out
    files = [{path.name: path.read_bytes() for path in (workshop.folder / n).glob("[!.]*")} for n in ("out", "whole")]
    assert files[0] == files[1]
