"""`validate` prints what running would do, and does nothing."""

from __future__ import annotations

import pytest

from bench.files.home import HOME

PROFILES = {
    "lits": {"dataset": {"format": "lits", "root": "${LITS_ROOT}", "target": [2], "roi": [1, 2]}},
    "phantom": {"seeds": [0, 1]},
}


@pytest.fixture
def choice(workshop, monkeypatch):
    """The tiny suite on files where there are any, else on the phantom."""
    monkeypatch.delenv("LITS_ROOT", raising=False)
    phantom = {"dataset": {"format": "phantom", "cases": 6, "seed": 3, "size": [20, 32, 32]}}
    profiles = {"lits": PROFILES["lits"], "phantom": {**PROFILES["phantom"], **phantom}}
    return workshop.suite(dataset=None, profiles=profiles)


def test_the_plan_has_cells_what_is_done_cost_and_profile(program, workshop, choice):
    answer = program("validate", choice.name)
    assert answer.code == 0
    assert "profile 'phantom': 'lits' was skipped because" in answer.out
    assert "LITS_ROOT" in answer.out
    assert "4: 0 done, 4 to do" in answer.out
    assert "unknown: this network, patch and data have not been timed on this machine yet" in answer.out
    assert sorted(path.name for path in workshop.folder.iterdir()) == ["tiny.yaml"]


def test_what_is_done_is_told(program, workshop, finished):
    answer = program("validate", workshop.suite().name, "--out", finished)
    assert "2: 2 done, 0 to do" in answer.out
    assert "nothing to train" in answer.out


def test_a_folder_of_files_is_taken_as_soon_as_it_is_there(program, workshop, choice, monkeypatch):
    program("data", "phantom", "files", "--cases", "3")
    monkeypatch.setenv("LITS_ROOT", str(workshop.folder / "files"))
    answer = program("validate", choice.name, "--set", "split={train: 1, validation: 1, test: 1}")
    assert "profile 'lits': the first of the suite, and its data is there" in answer.out
    assert "2 methods × 1 seeds = 2 per fold; what is done is unknown (6 files to read)" in answer.out


def test_a_profile_that_cannot_run_is_not_replaced_when_it_was_asked_for(program, choice):
    answer = program("validate", choice.name, "--profile", "lits")
    assert answer.code == 2
    assert "profile 'lits' was asked for but cannot run" in answer.err
    assert "LITS_ROOT" in answer.err


def test_a_hundred_cells_are_planned_and_listed_in_part(program, workshop):
    answer = program("validate", workshop.suite(seeds=list(range(50))).name)
    assert "100: 0 done, 100 to do" in answer.out
    assert "… and 50 more" in answer.out


def test_the_shipped_suites_are_valid(program, workshop, monkeypatch):
    for name in ("LITS_ROOT", "IMBALANCE_DATA"):
        monkeypatch.delenv(name, raising=False)
    for suite in sorted((HOME / "suites").glob("*.yaml")):
        answer = program("validate", suite)
        assert answer.code == 0, answer.err
        assert "phantom" in answer.out
    assert list(workshop.folder.iterdir()) == []
