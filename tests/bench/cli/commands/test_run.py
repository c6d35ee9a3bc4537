"""`run` does what is not done yet: whole runs as a user starts them, and what running again means."""

from __future__ import annotations

import pytest

from bench import api
from bench.execution.planning import Request
from bench.files.checksum import is_sealed
from bench.results.load import load

TVERSKY = {"id": "tversky", "loss": {"name": "tversky"}}
DICE = {"id": "dice", "loss": {"name": "dice"}}
CE = {"id": "ce", "loss": {"name": "cross_entropy"}}


def trained(workshop, run, since: int = 0) -> list[str]:
    """Methods of the cells that were trained, by the phase log."""
    events = workshop.events(run)[since:]
    return sorted({event["job"].partition("-")[0] for event in events if event["phase"] == "training"})


def rows(run) -> list[str]:
    """Method labels of the first table of scores.md."""
    lines = (run / "tables" / "scores.md").read_text().splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("| Method"))
    table = lines[first + 2 : first + 2 + lines[first:].index("")]
    return [line.split("|")[1].strip() for line in table if line.startswith("|")]


def test_a_new_method_line_trains_that_method_only_and_joins_the_table(workshop, finished):
    before = len(workshop.events(finished))
    run = workshop.here(workshop.suite(methods=[DICE, TVERSKY, CE]), out=finished)
    workshop.report(run)
    assert trained(workshop, finished, before) == ["tversky"]
    assert "prepare" not in [event["phase"] for event in workshop.events(finished)[before:]]
    assert rows(finished) == ["dice", "tversky", "ce"]


def test_a_changed_parameter_makes_a_new_cell_and_the_old_one_is_no_longer_in_the_table(workshop, finished):
    before = len(workshop.events(finished))
    changed = {"id": "dice", "loss": {"name": "dice", "smooth": 1.0}}
    (old,) = finished.glob("cells/dice-*")
    scores = workshop.rows(finished)
    run = workshop.here(workshop.suite(methods=[changed, CE]), out=finished)
    workshop.report(run)
    assert trained(workshop, finished, before) == ["dice"]
    assert len(list(finished.glob("cells/dice-*"))) == 2
    assert is_sealed(old)
    assert rows(finished) == ["dice", "ce"]
    assert workshop.rows(finished).items() >= scores.items()
    assert load(run).orphaned == (old.name,)
    back = workshop.begin(workshop.suite(), out=finished)
    since = len(workshop.events(finished))
    workshop.work(back)
    assert trained(workshop, finished, since) == []


def test_selected_methods_and_seeds_only_are_trained_and_the_rest_is_shown_as_planned(workshop):
    run = workshop.here(workshop.suite(), methods=("ce",), seeds=(3,))
    workshop.report(run)
    assert trained(workshop, run.path) == ["ce"]
    assert [path.name.startswith("ce-s3-f0-") for path in run.path.glob("cells/*")] == [True]
    assert "planned" in (run.path / "tables" / "scores.md").read_text()


@pytest.mark.slow
def test_every_option_of_a_run_reaches_it(workshop):
    suite = workshop.suite(
        split={"train": None, "validation": None, "test": None, "folds": 3},
        profiles={"first": {"title": "First"}, "second": {"title": "Second"}},
    )
    options = ["--profile", "second", "--methods", "dice", "--seeds", "4", "--folds", "1", "--out", "here"]
    options += ["--set", "training.steps=2", "--set", "training.validate_every=2", "--device", "cpu", "--workers", "1"]
    done = workshop.command("run", suite.name, *options)
    run = workshop.folder / "here"
    (cell,) = run.glob("cells/*")
    assert cell.name.startswith("dice-s4-f1-")
    assert "profile 'second': chosen by --profile" in done.stdout
    assert "Second" in done.stdout
    assert "1/1" in done.stdout
    paths = [line for line in done.stdout.splitlines() if line.startswith("here/")]
    assert "here/tables/scores.md" in paths
    assert all((workshop.folder / path).exists() for path in paths)
    assert done.stderr == ""


def test_a_run_to_its_table_as_a_user_sees_it(uninterrupted):
    """Written by the command that the fixture ran."""
    for name in ("tables/scores.md", "tables/scores.csv", "tables/costs.csv", "plots/validation_dice.png", "run.json"):
        assert (uninterrupted / name).stat().st_size > 0
    assert not list((uninterrupted / "work").iterdir())
    assert rows(uninterrupted) == ["dice", "ce"]


def test_more_than_500_cells_must_be_confirmed_and_nothing_is_written(program, workshop):
    suite = workshop.suite(seeds=list(range(251)))
    answer = program("run", suite.name, "--out", "large")
    assert answer.code == 2
    assert "error: tiny.yaml asks for 502 cells; confirm more than 500 with --yes" in answer.err
    assert not (workshop.folder / "large").exists()
    assert program("validate", suite.name).code == 0


def test_fewer_selected_cells_need_no_confirmation(workshop, monkeypatch):
    begun = []
    monkeypatch.setattr(api, "_work", lambda planned, *rest: begun.append(len(planned.selected())))
    monkeypatch.setattr(api, "rebuild", lambda run: None)
    suite = workshop.suite(seeds=list(range(251)))
    options = {"device": "cpu", "workers": 1, "show": api.Silent()}
    api.run_request(Request(suite, methods=("ce",), out=workshop.folder / "a"), yes=False, **options)
    api.run_request(Request(suite, out=workshop.folder / "b"), yes=True, **options)
    assert begun == [251, 502]


@pytest.mark.slow
def test_cells_that_did_not_finish_are_counted_in_the_last_line_and_tried_again_only_when_asked_to(
    workshop, misbehaving
):
    suite = workshop.suite(methods=[{"id": "nan", "loss": {"name": "nan"}}, DICE])
    done = workshop.command("run", suite, "--out", "run", "--workers", 1, code=3)
    line = "1 of 2 cells did not finish (1 diverged); --retry-failed tries them once more"
    assert done.stdout.splitlines()[-1] == line
    run = workshop.folder / "run"
    again = workshop.command("run", suite, "--out", "run", "--workers", 1, code=3)
    assert trained(workshop, run) == ["dice"]
    assert again.stdout.splitlines()[-1] == line
    assert "again     --retry-failed tries the 1 that did not finish once more" in again.stdout
    before = len(workshop.events(run))
    workshop.command("run", suite, "--out", "run", "--workers", 1, "--retry-failed", code=3)
    published = [event["job"] for event in workshop.events(run)[before:] if event["phase"] == "published"]
    assert [job.partition("-")[0] for job in published] == ["nan"]
    assert sorted(path.name.partition(".")[2] for path in run.glob("cells/nan-*")) == ["", "failed"]
