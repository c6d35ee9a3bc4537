"""A run that goes on under other CPU instructions: refused, or allowed and marked in record and table."""

from __future__ import annotations

import json

import pytest

from bench.execution.environment import environment_here, note_start, passed_through
from bench.results.provenance import environment_words

TVERSKY = {"id": "tversky", "loss": {"name": "tversky"}}
CE = {"id": "ce", "loss": {"name": "cross_entropy"}}
DICE = {"id": "dice", "loss": {"name": "dice"}}


@pytest.fixture
def here():
    here = environment_here("cpu")
    if here["cpu_capability"] == "DEFAULT":
        pytest.skip("this CPU has only the instructions that torch falls back to")
    return here


@pytest.fixture
def begun(workshop, here):
    """A run of three methods: one finished, one in the middle of training, one not begun."""
    suite = workshop.suite(methods=[CE, DICE, TVERSKY])
    run = workshop.begin(suite)
    note_start(run, here)
    return workshop.work_until(run, "dice", "training", 8)


@pytest.fixture
def elsewhere(here, monkeypatch):
    """From now on, started processes have another CPU as torch sees it."""
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    return here | {"cpu_capability": "DEFAULT"}


def record(run, method: str) -> dict:
    (path,) = run.path.glob(f"cells/{method}-*/cell.json")
    return json.loads(path.read_text())


@pytest.mark.slow
def test_run_and_work_are_refused_elsewhere_with_both_environments_named(workshop, begun, here, elsewhere):
    before = {path: path.stat().st_mtime_ns for path in begun.path.rglob("*")}
    for arguments in (("run", "tiny.yaml", "--out", "run"), ("work", "run")):
        refused = workshop.command(*arguments, code=1)
        assert f"run was started on {environment_words(here)}" in refused.stderr
        assert f"here is {environment_words(elsewhere)}" in refused.stderr
        assert "--other-environment" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert {path: path.stat().st_mtime_ns for path in begun.path.rglob("*")} == before
    assert workshop.command("report", "run").stderr == ""


@pytest.mark.slow
def test_with_the_option_records_and_rows_carry_both_and_finished_cells_stay(workshop, begun, here, elsewhere):
    finished = workshop.rows(begun.path)
    assert len(finished) == 1
    workshop.command("run", "tiny.yaml", "--out", "run", "--workers", 1, "--other-environment")
    assert workshop.rows(begun.path).items() >= finished.items()
    gone = {method: record(begun, method)["environments"] for method in ("ce", "dice", "tversky")}
    assert gone == {"ce": [here], "dice": [here, elsewhere], "tversky": [elsewhere]}
    assert {json.dumps(record(begun, method)["started_in"]) for method in gone} == {json.dumps(here, sort_keys=True)}
    resumed = [event["step"] for event in workshop.events(begun.path, "dice") if event["phase"] == "resumed"]
    assert resumed == [6]
    table = (begun.path / "tables" / "scores.md").read_text()
    one, other = environment_words(here), environment_words(elsewhere)
    assert f"seed 0, fold 0 was begun on {one} and continued on {other}" in table
    assert f"seed 0, fold 0 was computed on {other}, in a run that was started on {one}" in table
    assert len(workshop.command("run", "tiny.yaml", "--out", "run", code=1).stderr.splitlines()) == 1


def test_a_checkpoint_that_went_through_two_environments_says_so_until_it_is_used_up(
    workshop, begun, here, monkeypatch
):
    (working,) = (begun.path / "work").glob("dice-*")
    assert passed_through(working) == [here]
    (working / "environments.json").write_text(json.dumps([here | {"torch": "2.6.0"}]))
    workshop.work(begun)
    assert record(begun, "dice")["environments"] == [here | {"torch": "2.6.0"}, here]
    assert not working.exists()
