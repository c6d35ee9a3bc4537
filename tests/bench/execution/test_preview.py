"""The plan in words: cells, what is done, cost from timed steps or unknown, profile and why."""

from __future__ import annotations

import pytest

from bench.execution.preview import describe_plan
from bench.execution.timings import remember
from bench.training.device import device_facts, resolve_device

SECONDS = {"seconds_per_step": 2.0, "seconds_per_scored_case": 10.0, "seconds_per_validated_case": 5.0}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "own cache"))


def line(lines, name: str) -> str:
    (found,) = [line for line in lines if line.strip().startswith(name)]
    return found.strip().removeprefix(name).strip()


def test_a_plan_names_profile_data_network_folder_and_cells(workshop):
    planned = workshop.plan(workshop.suite())
    lines = describe_plan(planned, "cpu")
    assert lines[0] == "Tiny"
    assert line(lines, "profile") == "the suite has no profiles"
    assert line(lines, "data") == "main 6 cases; target target = [2]"
    assert line(lines, "network") == "residual_unet, patch 16×16×16, batch 1, 12 steps, polynomial decay"
    assert line(lines, "run").endswith("/run")
    assert line(lines, "cells") == "2: 0 done, 2 to do"
    assert [text.split()[:2] for text in lines if "to do  " in text] == [["to", "do"]] * 2


def test_the_cost_is_unknown_until_steps_were_timed_and_then_their_sum(workshop):
    planned = workshop.plan(workshop.suite())
    assert line(describe_plan(planned, "cpu"), "cost").startswith("unknown: this network, patch and data")
    remember(planned.suite, device_facts(resolve_device("cpu")), SECONDS)
    # Per cell 12 steps, 3 validations of 2 cases, 2 blocks of 2 test cases.
    seconds = 2 * (12 * 2.0 + 3 * 2 * 5.0 + 2 * 2 * 10.0)
    assert line(describe_plan(planned, "cpu"), "cost").startswith(f"about {seconds / 60:.0f} min of one worker in all")


def test_done_cells_are_told_and_cost_nothing(workshop, finished):
    planned = workshop.plan(workshop.suite(), out=finished)
    lines = describe_plan(planned, "cpu")
    assert line(lines, "cells") == "2: 2 done, 0 to do"
    assert line(lines, "cost") == "nothing to train"
    assert len([text for text in lines if text.strip().startswith("done ")]) == 2


def test_a_real_run_is_what_the_next_plan_is_estimated_from(workshop):
    workshop.here(workshop.suite(), methods=("dice",))
    planned = workshop.plan(workshop.suite(seeds=[1]))
    assert line(describe_plan(planned, "cpu"), "cost").endswith("from timed steps on this machine")


def test_a_selection_is_named(workshop):
    lines = describe_plan(workshop.plan(workshop.suite(), methods=("ce",)), "cpu")
    assert line(lines, "methods") == "only ce"
    assert line(lines, "cells") == "1: 0 done, 1 to do"


def test_long_plans_are_shortened(workshop):
    lines = describe_plan(workshop.plan(workshop.suite(seeds=list(range(40)))), "cpu")
    assert line(lines, "cells") == "80: 0 done, 80 to do"
    assert line(lines, "…") == "and 30 more"
    assert len(lines) < 62


def test_a_cell_that_did_not_finish_is_told_with_how_to_have_it_done_again(workshop, misbehaving):
    methods = [{"id": "nan", "loss": {"name": "nan"}}, {"id": "dice", "loss": {"name": "dice"}}]
    suite = workshop.suite(methods=methods)
    run = workshop.here(suite)
    lines = describe_plan(workshop.plan(suite), "cpu")
    assert line(lines, "cells") == "2: 1 done, 1 without scores, 0 to do"
    assert line(lines, "diverged").startswith("nan-s0-f0-")
    assert line(lines, "again") == "--retry-failed tries the 1 that did not finish once more"
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    lines = describe_plan(workshop.plan(suite, retry_failed=True), "cpu")
    assert line(lines, "cells") == "2: 1 done, 1 to do"
    assert next(text.split()[2] for text in lines if "to do  " in text).startswith("nan-s0-f0-")
    assert line(lines, "again") == "the 1 that did not finish, their records set aside"
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


def test_earlier_cells_that_the_plan_does_not_name_are_counted(workshop):
    workshop.here(workshop.suite(training={"steps": 4}))
    lines = describe_plan(workshop.plan(workshop.suite()), "cpu")
    assert line(lines, "orphaned").startswith("2 earlier cells are not in this plan")
