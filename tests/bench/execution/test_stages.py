"""Warm starts: what a cell takes over from another one, with which budget, and what becomes of it without."""

from __future__ import annotations

import json

import pytest
import torch

from bench.execution.context import RunContext
from bench.execution.jobs import cells_of, jobs_of
from bench.execution.preview import describe_plan
from bench.execution.status import read_status
from bench.execution.timings import remember
from bench.training.checkpoints import from_bytes
from bench.training.device import device_facts, resolve_device

DICE = {"id": "dice", "loss": {"name": "dice"}}
CE = {"id": "ce", "loss": {"name": "cross_entropy"}}
WARM = {"id": "warm", "loss": {"name": "cross_entropy"}, "start": {"from": "dice"}}
STILL = {"learning_rate": 1e-12}
SHORT = {"steps": 4, "validate_every": 2}


def cells(run) -> dict[str, dict]:
    """The record of every cell by its method."""
    found = [json.loads(path.read_text()) for path in sorted(run.path.glob("cells/*/cell.json"))]
    return {record["method"]: record for record in found}


def weights(run, method: str, block: str = "best") -> dict[str, torch.Tensor]:
    (path,) = run.path.glob(f"cells/{method}-s0-*/checkpoints/{block}.pt")
    return from_bytes(path.read_bytes(), str(path))["weights"]


def history(run, method: str) -> list[dict]:
    (path,) = run.path.glob(f"cells/{method}-s0-*/history.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def standing_still(method: dict, **changes) -> dict:
    """The method started from `dice`, with steps too small to leave the start."""
    return {**method, **changes, "start": {"from": "dice", **STILL}}


def close(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], name: str) -> bool:
    return bool(torch.allclose(one[name], other[name], rtol=0, atol=1e-9))


def line(lines, name: str) -> str:
    (found,) = [line for line in lines if line.strip().startswith(name)]
    return found.strip()


def test_a_warm_start_takes_over_the_best_weights_and_not_the_last(workshop):
    unsteady = {"steps": 12, "validate_every": 2, "learning_rate": 0.1}
    run = workshop.here(workshop.suite(methods=[DICE, standing_still(CE, id="warm")], training=unsteady))
    best, last, warm = weights(run, "dice"), weights(run, "dice", "last"), weights(run, "warm")
    record = cells(run)
    assert record["dice"]["best_step"] < record["dice"]["steps"], "otherwise best and last are the same"
    assert warm.keys() == best.keys()
    assert all(close(warm, best, name) for name in best)
    assert not all(close(warm, last, name) for name in last)
    assert record["warm"]["started_from"] == {
        "cell": record["dice"]["id"],
        "step": record["dice"]["best_step"],
        "steps": 12,
    }


def test_what_the_regressor_adds_begins_as_it_would_without_a_start(workshop):
    still = {"training": {**SHORT, **STILL}}
    cascaded = {"id": "cascaded", "loss": {"name": "dice"}, "regressor": {"name": "cascaded"}}
    fresh = workshop.here(workshop.suite(methods=[cascaded], **still), out=workshop.folder / "fresh")
    run = workshop.here(workshop.suite(methods=[DICE, standing_still(cascaded)], training=SHORT))
    plain, warm, first = weights(run, "dice"), weights(run, "cascaded"), weights(fresh, "cascaded")
    shared = {name for name in plain if name in warm and plain[name].shape == warm[name].shape}
    own = warm.keys() - shared
    assert own, "the cascade has weights of its own"
    assert any("head" in name for name in own)
    assert {name for name in warm if name.startswith(("backbone.encoder.", "backbone.decoder."))} <= shared
    assert all(close(warm, plain, name) for name in shared)
    assert all(close(warm, first, name) for name in own)
    assert not all(close(first, plain, name) for name in shared)


@pytest.mark.parametrize("regressor", [{"name": "lr_net", "pretraining_steps": 3}, {"name": "multi_branch"}])
def test_a_regressor_beside_the_backbone_leaves_the_whole_backbone_to_the_start(workshop, regressor):
    method = standing_still({"id": "warm", "loss": {"name": "dice"}, "regressor": regressor})
    run = workshop.here(workshop.suite(methods=[DICE, method], training=SHORT))
    plain, warm = weights(run, "dice"), weights(run, "warm")
    assert {name for name in warm if name.startswith("backbone.")} == set(plain)
    assert all(close(warm, plain, name) for name in plain)


def test_a_frozen_regressor_is_that_of_the_pretraining_also_after_a_warm_start(workshop):
    lr_net = {"loss": {"name": "dice"}, "regressor": {"name": "lr_net", "pretraining_steps": 3}}
    other = {**lr_net["regressor"], "pretraining_rate": 0.05}
    warm = {"id": "warm", **lr_net, "regressor": other, "start": {"from": "first"}}
    run = workshop.here(workshop.suite(methods=[{"id": "first", **lr_net}, warm], training=SHORT))
    found = cells(run)
    for method in ("first", "warm", "first-continued"):
        quality = json.loads((run.pretrained(found[method]["pretrained"]) / "quality.json").read_text())
        assert found[method]["regressor_digest"] == quality["digest"]
    assert found["first"]["regressor_digest"] != found["warm"]["regressor_digest"]
    assert found["first"]["regressor_digest"] == found["first-continued"]["regressor_digest"]


def test_a_start_that_diverged_fails_what_starts_from_it_with_its_reason(workshop, misbehaving):
    methods = [
        {"id": "nan", "loss": {"name": "nan", "after": 3}},
        {**WARM, "start": {"from": "nan"}},
        CE,
    ]
    run = workshop.here(workshop.suite(methods=methods, training=SHORT))
    found = cells(run)
    ends = {name: record["status"] for name, record in found.items()}
    assert ends == {"nan": "diverged", "warm": "failed", "nan-continued": "failed", "ce": "finished"}
    for name in ("warm", "nan-continued"):
        assert found[name]["reason"] == (
            f"StartFailed: the cell that it starts from, {found['nan']['id']}, diverged: {found['nan']['reason']}; "
            f"its records are in cells/{found['nan']['id']}; --retry-failed does both again"
        )
    assert "step 3 of 4" in found["warm"]["reason"]
    assert read_status(run).finished


def test_one_method_alone_trains_its_control_the_start_of_both_and_no_other_row(workshop, empty_cache):
    suite = workshop.suite(methods=[WARM, CE, DICE], training=SHORT)
    run = workshop.begin(suite, methods=("warm",))
    context = RunContext.read(run)
    assert [cell.method for cell in cells_of(context)] == ["warm", "dice-continued", "dice"]
    status = read_status(run)
    assert [cell.method for cell in status.cells] == ["warm", "dice-continued"]
    assert (status.starts_missing, status.waiting_jobs) == (1, len(jobs_of(context))) == (1, 9)
    workshop.work(run)
    assert {name: record["status"] for name, record in cells(run).items()} == dict.fromkeys(
        ("warm", "dice-continued", "dice"), "finished"
    )
    assert (read_status(run).waiting_jobs, read_status(run).finished) == (0, True)


def test_another_try_of_a_warm_start_tries_its_failed_start_too(workshop, misbehaving):
    methods = [{"id": "nan", "loss": {"name": "nan"}}, {**WARM, "start": {"from": "nan"}}]
    suite = workshop.suite(methods=methods, training=SHORT)
    run = workshop.here(suite, methods=("warm",))
    lines = describe_plan(workshop.plan(suite, methods=("warm",), retry_failed=True), "cpu")
    assert line(lines, "starts") == "starts    1 more to do, which cells above start from"
    workshop.command("run", suite, "--out", "run", "--workers", 1, "--methods", "warm", "--retry-failed", code=None)
    aside = sorted(path.name.split("-s0")[0] for path in run.path.glob("cells/*.failed"))
    assert aside == ["nan", "nan-continued", "warm"]


def test_the_control_alone_trains_its_start_too(workshop):
    run = workshop.here(workshop.suite(methods=[DICE, WARM], training=SHORT), methods=("dice-continued",))
    assert {name: record["status"] for name, record in cells(run).items()} == {
        "dice": "finished",
        "dice-continued": "finished",
    }


def test_the_plan_counts_and_charges_starts_that_are_not_selected(workshop, empty_cache):
    lr_net = {"name": "lr_net", "pretraining_steps": 3}
    first = {**DICE, "regressor": lr_net}
    suite = workshop.suite(methods=[first, {**WARM, "regressor": lr_net}, CE])
    planned = workshop.plan(suite, methods=("warm",))
    seconds = {"seconds_per_step": 2.0, "seconds_per_scored_case": 10.0, "seconds_per_validated_case": 5.0}
    remember(planned.suite, device_facts(resolve_device("cpu")), seconds)
    lines = describe_plan(planned, "cpu")
    assert line(lines, "cells") == "cells     2: 0 done, 2 to do"
    assert line(lines, "starts") == "starts    1 more to do, which cells above start from"
    assert line(lines, "regressors") == "regressors 1: 0 done, 1 to do"
    # The cell, its control and the start of both: 12 steps, 3 validations of 2 cases, 2 blocks of 2 test cases.
    minutes = 3 * (12 * 2.0 + 3 * 2 * 5.0 + 2 * 2 * 10.0) / 60
    assert line(lines, "cost") == (
        f"cost      about {minutes:.0f} min of one worker in all, from timed steps on this machine; pre-training, "
        "which was not timed yet, comes on top"
    )
    remember(planned.suite, device_facts(resolve_device("cpu")), {"seconds_per_step": 60.0}, pretraining=True)
    lines = describe_plan(planned, "cpu")
    assert line(lines, "cost") == (
        f"cost      about {minutes + 3:.0f} min of one worker in all, from timed steps on this machine"
    )
    everything = describe_plan(workshop.plan(suite), "cpu")
    assert not [text for text in everything if text.startswith("  starts")]


def test_cells_to_start_from_stand_before_those_that_start(workshop):
    run = workshop.here(workshop.suite(methods=[WARM, DICE], training=SHORT))
    published = [event["job"] for event in workshop.events(run.path) if event["phase"] == "published"]
    order = [job.rpartition("-s0-")[0] for job in published if "-s0-" in job]
    assert order == ["dice", "warm", "dice-continued"]


@pytest.mark.parametrize(("start", "rate"), [({}, 0.02), ({"learning_rate": 0.005}, 0.005)], ids=["training", "own"])
def test_the_stage_has_its_own_learning_rate_or_that_of_the_training(workshop, start, rate):
    steps = {"steps": 4, "validate_every": 4, "schedule": {"name": "polynomial", "exponent": 1.0}}
    warm = {**WARM, "start": {"from": "dice", **start}}
    run = workshop.here(workshop.suite(methods=[DICE, warm], training=steps))
    (control,) = [name for name in cells(run) if name.startswith("dice-continued")]

    def mean_rate(method: str) -> float:
        (logged,) = [record["learning_rate"] for record in history(run, method) if "learning_rate" in record]
        return logged

    assert mean_rate("warm") == mean_rate(control)
    assert mean_rate("warm") / mean_rate("dice") == pytest.approx(rate / 0.02)
    for method in ("warm", control):
        assert cells(run)[method]["identity"]["start"]["learning_rate"] == rate
        assert cells(run)[method]["steps"] == 4


@pytest.mark.parametrize("phase", [("training", 3), ("validation", 2)])
def test_interrupted_and_resumed_a_warm_start_ends_the_same(workshop, phase):
    suite = workshop.suite(methods=[DICE, WARM], training={**SHORT, "checkpoint_every": 1})
    whole = workshop.here(suite, out=workshop.folder / "whole")
    run = workshop.work_until(workshop.begin(suite), "warm", *phase)
    workshop.work(run)
    assert workshop.rows(run.path) == workshop.rows(whole.path)
    assert history(run, "warm") == history(whole, "warm")
    assert cells(run)["warm"]["started_from"] == cells(whole)["warm"]["started_from"]
