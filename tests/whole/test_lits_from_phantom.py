"""Generated scans written as LiTS files run through the `lits` profile of the suite that ships with the project."""

from __future__ import annotations

import pytest

from bench.files.home import HOME

BUDGET = (
    "split.validation=1",
    "preprocessing.spacing_mm=[4.0, 3.0, 3.0]",
    "sampling.patch_size=[16, 32, 32]",
    "backbone.widths=[2, 4]",
    "training.steps=4",
    "training.validate_every=2",
    "training.precision=fp32",
    "seeds=[0]",
)


@pytest.mark.slow
def test_the_lits_profile_takes_generated_files_to_the_table(workshop, monkeypatch):
    workshop.command("data", "phantom", "scans", "--cases", "3", "--seed", "7")
    assert len(list((workshop.folder / "scans").glob("volume-*.nii.gz"))) == 3
    monkeypatch.setenv("LITS_ROOT", str(workshop.folder / "scans"))
    suite = HOME / "suites" / "lits.yaml"
    planned = workshop.plan(suite, overrides=BUDGET)
    assert planned.why == "profile 'lits': 'lits-clinical' was skipped because CLINICAL_ROOT is not set"
    run = workshop.here(suite, overrides=BUDGET, methods=("dice", "tversky"))
    workshop.report(run)
    table = (run.path / "tables" / "scores.md").read_text()
    assert "selected on the reported cases" in table.lower()
    assert "4 × 3 × 3 mm" in table
    rows = [line for line in table.splitlines() if line.startswith(("| MNet + L_Dice |", "| Tversky"))]
    assert all("1/1" in row for row in rows[:2])
    assert len(list(run.path.glob("cells/*/predictions/main/best/volume-*.nii.gz"))) == 2
