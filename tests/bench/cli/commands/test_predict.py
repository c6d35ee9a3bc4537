"""`predict` from the command line: image first, file to write last."""

from __future__ import annotations

import pytest

from bench.data.reading import read_labels


@pytest.fixture
def cell(program, workshop):
    """A cell trained on three generated scans of files."""
    program("data", "phantom", "files", "--cases", "3")
    nothing = dict.fromkeys(("cases", "seed", "size", "spacing_mm"))
    dataset = {"format": "lits", "root": "files", "target": [2], "roi": [1, 2], **nothing}
    suite = workshop.suite(dataset=dataset, split={"train": 1, "validation": 1, "test": 1}, training={"steps": 4})
    run = workshop.here(suite, methods=("dice",))
    (cell,) = run.path.glob("cells/*")
    return cell


def test_a_scan_gets_the_mask_that_was_scored_for_it(program, workshop, cell):
    for block in ("best", "last"):
        (stored,) = (cell / "predictions" / "main" / block).iterdir()
        label = workshop.folder / "files" / stored.name.replace("volume", "segmentation")
        image = workshop.folder / "files" / stored.name
        answer = program("predict", cell, image, "out.nii.gz", "--roi", label, "--checkpoint", block, "--device", "cpu")
        assert (answer.code, answer.out.strip()) == (0, "out.nii.gz")
        assert (workshop.folder / "out.nii.gz").read_bytes() == stored.read_bytes()
    assert read_labels("out", workshop.folder / "out.nii.gz")[0].shape == read_labels("label", label)[0].shape


def test_a_scan_without_its_region_of_interest_is_refused_when_the_suite_crops_to_it(program, workshop, cell):
    answer = program("predict", cell, "files/volume-0.nii.gz", "out.nii.gz")
    assert answer.code == 1
    assert "region of interest" in answer.err
    assert not (workshop.folder / "out.nii.gz").exists()
