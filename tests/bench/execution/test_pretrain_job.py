"""Regressors that learn their map before the cells that need them: once, frozen from then on, failing as a result."""

from __future__ import annotations

import json
import shutil

import pytest

from bench.execution.cleaning import leftovers
from bench.execution.context import RunContext
from bench.execution.jobs import jobs_left, jobs_of
from bench.execution.pretrain_job import PretrainJob
from bench.execution.preview import describe_plan
from bench.execution.status import read_status, status_lines
from bench.files.checksum import verify_folder
from bench.training.checkpoints import from_bytes
from bench.training.digests import digest_of
from models.lr_net import LRNet

LR_NET = {"name": "lr_net", "map": "norm_inverse", "pretraining_steps": 4}
DICE = {"id": "dice", "loss": {"name": "dice"}}
TANDEM = {"id": "tandem", "loss": {"name": "dice"}, "regressor": LR_NET}
HEAVY = {"id": "heavy", "loss": {"name": "cross_entropy"}, "regressor": {**LR_NET, "alpha": 10.0}}
SIGNED = {"id": "signed", "loss": {"name": "dice"}, "regressor": {**LR_NET, "map": "signed_norm_inverse"}}
SHORT = {"steps": 4, "validate_every": 2}


def published(workshop, run, job: str) -> list[str]:
    return [event["job"] for event in workshop.events(run.path, job) if event["phase"] == "published"]


def line(lines, name: str) -> str:
    (found,) = [line for line in lines if line.strip().startswith(name)]
    return found.strip()


def test_two_methods_with_one_regressor_train_it_once_before_both_and_never_change_it(workshop, records, pretrained):
    run = workshop.here(workshop.suite(methods=[TANDEM, HEAVY], training=SHORT))
    order = published(workshop, run, "")
    (identity,) = published(workshop, run, "lr_net")
    assert [job.partition("-")[0] for job in order[order.index(identity) :]] == ["lr_net", "tandem", "heavy"]
    (folder,) = pretrained(run)
    network = LRNet(in_channels=2, out_channels=1, spatial_dims=3)
    weights = from_bytes((folder / "regressor.pt").read_bytes(), "regressor.pt")["weights"]
    network.load_state_dict({name.removeprefix("network."): value for name, value in weights.items()})
    digest = json.loads((folder / "quality.json").read_text())["digest"]
    found = records(run)
    assert [found[name]["status"] for name in ("tandem", "heavy")] == ["finished"] * 2
    for name in ("tandem", "heavy"):
        assert found[name]["pretrained"] == identity
        assert found[name]["regressor_digest"] == digest
        for block in ("best", "last"):
            path = run.cell(found[name]["id"]) / "checkpoints" / f"{block}.pt"
            after = from_bytes(path.read_bytes(), str(path))["weights"]
            kept = {key.removeprefix("regressor."): value for key, value in after.items() if "regressor." in key}
            assert kept.keys() == weights.keys()
            assert all((kept[key] == weights[key]).all() for key in weights), "frozen weights changed"
    assert digest_of(network) != digest_of(LRNet(in_channels=2, out_channels=1, spatial_dims=3))


def test_its_quality_stands_beside_its_weights(workshop, pretrained):
    run = workshop.here(workshop.suite(methods=[TANDEM], training=SHORT))
    (folder,) = pretrained(run)
    verify_folder(folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "history.jsonl",
        "quality.json",
        "regressor.pt",
        "seal.json",
    ]
    quality = json.loads((folder / "quality.json").read_text())
    kind = {"name": "lr_net", "map": "norm_inverse", "head": "relu", "norm": "instance"}
    assert quality["regressor"] == {**kind, "steps": 4, "learning_rate": 1e-3}
    assert (quality["status"], quality["reason"], quality["steps"]) == ("finished", "", 4)
    assert 0 < quality["best_step"] <= 4
    assert 0 < quality["constant"] <= 1
    assert [row["above"] for row in quality["by_fraction"]] == [0.0, 1e-3, 1e-2, 1e-1]
    assert sum(row["patches"] for row in quality["by_fraction"]) == quality["all"]["patches"] > 0
    assert quality["all"]["patches"] + quality["without_lesion"]["patches"] == 32
    assert 0 <= quality["all"]["dice"] <= 1
    assert quality["all"]["error"] > 0
    history = [json.loads(text) for text in (folder / "history.jsonl").read_text().splitlines()]
    assert history[-1]["step"] == 4
    assert any("regression" in entry for entry in history)


def test_the_weights_of_the_smallest_validation_error_are_kept_also_where_the_dice_does_not_move(workshop, pretrained):
    sigmoid = {**LR_NET, "head": "sigmoid", "pretraining_steps": 100}
    run = workshop.here(workshop.suite(methods=[{**TANDEM, "regressor": sigmoid}], training=SHORT))
    (folder,) = pretrained(run)
    history = [json.loads(text) for text in (folder / "history.jsonl").read_text().splitlines()]
    errors = {entry["step"]: entry["validation_regression"] for entry in history if "validation_regression" in entry}
    quality = json.loads((folder / "quality.json").read_text())
    assert list(errors) == [50, 100]
    assert quality["best_step"] == min(errors, key=errors.get) == 100
    assert 0 < errors[100] < errors[50]
    assert quality["all"]["dice"] == pytest.approx(quality["all"]["constant_dice"]), "still above .05 everywhere"


@pytest.mark.slow
def test_other_maps_and_seeds_have_regressors_of_their_own_and_one_that_is_not_frozen_has_none(
    workshop, records, pretrained
):
    loose = {"id": "loose", "loss": {"name": "dice"}, "regressor": {"name": "lr_net", "frozen": False}}
    run = workshop.here(workshop.suite(methods=[TANDEM, SIGNED, loose], seeds=[0, 1], training=SHORT))
    slugs = sorted(folder.name.rpartition("-")[0] for folder in pretrained(run))
    assert slugs == [f"lr_net-{kind}-s{seed}-f0" for kind in ("norm_inverse", "signed_norm_inverse") for seed in (0, 1)]
    digests = {json.loads((folder / "quality.json").read_text())["digest"] for folder in pretrained(run)}
    assert len(digests) == 4
    assert "pretrained" not in records(run)["loose"]
    assert records(run)["loose"]["status"] == "finished"


@pytest.mark.slow
def test_two_workers_train_it_once(workshop, records):
    suite = workshop.suite(methods=[TANDEM, HEAVY], training=SHORT)
    workshop.command("run", suite, "--out", "run", "--workers", 2)
    run = RunContext.read(workshop.plan(suite).run).run
    assert len(published(workshop, run, "lr_net")) == 1
    assert {record["status"] for record in records(run).values()} == {"finished"}


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_damaged_weights_are_set_aside_and_trained_again_to_the_same_bytes(workshop, damage, pretrained):
    suite = workshop.suite(methods=[TANDEM, HEAVY], training=SHORT)
    run = workshop.here(suite)
    expected = workshop.rows(run.path)
    (folder,) = pretrained(run)
    before = (folder / "regressor.pt").read_bytes()
    if damage == "altered":
        (folder / "regressor.pt").write_bytes(before[:-1] + b"x")
    else:
        (folder / "regressor.pt").unlink()
    shutil.rmtree(next(run.path.glob("cells/heavy-*")))
    with pytest.warns(UserWarning, match=rf"set aside as {folder.name}\.damaged and built again"):
        workshop.work(run)
    verify_folder(folder)
    assert (folder / "regressor.pt").read_bytes() == before
    assert workshop.rows(run.path) == expected
    assert [one.path.name for one in leftovers(run)] == [f"{folder.name}.damaged"]


def test_one_that_the_plan_no_longer_names_is_left_over(workshop):
    run = workshop.here(workshop.suite(methods=[TANDEM], training=SHORT))
    assert leftovers(run) == ()
    longer = {**TANDEM, "regressor": {**LR_NET, "pretraining_steps": 5}}
    workshop.begin(workshop.suite(methods=[longer], training=SHORT))
    found = {one.path.relative_to(run.path).parts[0]: one.why for one in leftovers(run)}
    assert found == {"cells": "not in the plan", "pretrained": "not in the plan"}


@pytest.mark.slow
def test_every_method_of_a_seed_starts_alike_and_sees_the_same_patches(workshop):
    methods = [
        DICE,
        TANDEM,
        {"id": "loose", "loss": {"name": "dice"}, "regressor": {"name": "lr_net", "frozen": False}},
        {"id": "branch", "loss": {"name": "dice"}, "regressor": {"name": "multi_branch"}},
        {"id": "cascaded", "loss": {"name": "dice"}, "regressor": {"name": "cascaded"}},
        {"id": "map-only", "regressor": {"name": "multi_branch"}},
        {**TANDEM, "id": "warm", "start": {"from": "dice"}},
    ]
    run = workshop.here(workshop.suite(methods=methods, seeds=[0, 1], training=SHORT))
    found = [json.loads(path.read_text()) for path in sorted(run.path.glob("cells/*/cell.json"))]
    assert len(found) == 16, "seven methods and a control, twice"
    assert {record["status"] for record in found} == {"finished"}
    for name in ("start_digest", "order_digest", "comparison"):
        by_seed = {seed: {record[name] for record in found if record["seed"] == seed} for seed in (0, 1)}
        assert {seed: len(values) for seed, values in by_seed.items()} == {0: 1, 1: 1}, name
        assert by_seed[0] != by_seed[1], name


def test_masks_and_patches_of_the_validation_cases_are_those_of_the_cells_and_nothing_else_is_needed(workshop):
    context = RunContext.read(workshop.begin(workshop.suite(methods=[TANDEM], training=SHORT)))
    (plan,), (cell,) = context.plan.pretrain, context.plan.cells
    assert (plan.train, plan.validation, plan.maps) == (cell.train, cell.validation, cell.maps)
    job = PretrainJob(context, plan)
    assert not {context.cache.folder(identity) for identity in cell.test} & set(job.needs)


def test_regressors_are_counted_until_nothing_needs_them(workshop, empty_cache, pretrained):
    suite = workshop.suite(methods=[TANDEM, HEAVY, SIGNED], training=SHORT)
    run = workshop.begin(suite)
    status = read_status(run)
    assert (status.regressors_trained, status.regressors_needed) == (0, 2)
    assert (status.maps_computed, status.maps_needed) == (0, 2 * 4), "of training and validation cases"
    assert status.waiting_jobs == len(jobs_of(RunContext.read(run))) == 6 + 8 + 2 + 3
    assert "pre-trained regressors: 0 of 2" in status_lines(status)
    lines = describe_plan(workshop.plan(suite), "cpu")
    assert "  regressors 2: 0 done, 2 to do" in lines
    assert line(lines, "maps") == "maps      8: 0 in the cache, 8 to do (norm_inverse, signed_norm_inverse)"
    workshop.work_until(run, "signed", "training", 1)
    status = read_status(run)
    assert "pre-trained regressors: 2 of 2" in status_lines(status)
    assert status.waiting_jobs == 1
    assert "  regressors 1: 1 done, 0 to do" in describe_plan(workshop.plan(suite), "cpu")
    workshop.work(run)
    for folder in pretrained(run):
        shutil.rmtree(folder)
    assert "pre-trained regressors: 2 of 2" in status_lines(read_status(run)), "nothing needs them any more"
    assert read_status(run).waiting_jobs == 0
    assert jobs_left(jobs_of(RunContext.read(run))) == []
    assert not [text for text in describe_plan(workshop.plan(suite), "cpu") if text.startswith("  regressors")]


def test_without_regressors_nothing_is_said_of_them(workshop):
    suite = workshop.suite()
    run = workshop.begin(suite)
    lines = [*status_lines(read_status(run)), *describe_plan(workshop.plan(suite), "cpu")]
    assert not [text for text in lines if text.startswith(("  regressors", "pre-trained"))]


def test_only_the_regressors_of_selected_methods_are_trained(workshop, pretrained):
    run = workshop.here(workshop.suite(methods=[TANDEM, SIGNED, DICE], training=SHORT), methods=("dice", "signed"))
    assert [folder.name.partition("-s0")[0] for folder in pretrained(run)] == ["lr_net-signed_norm_inverse"]


def test_interrupted_and_resumed_it_ends_with_the_same_weights(workshop, pretrained):
    suite = workshop.suite(methods=[TANDEM], training=SHORT)
    whole = workshop.here(suite, out=workshop.folder / "whole")
    run = workshop.work_until(workshop.begin(suite), "lr_net", "training", 3)
    assert pretrained(run) == []
    workshop.work(run)
    (one,), (other,) = pretrained(run), pretrained(whole)
    for name in ("regressor.pt", "history.jsonl", "quality.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    assert workshop.rows(run.path) == workshop.rows(whole.path)


def test_a_regressor_is_pretrained_on_files_that_have_no_image(workshop, tmp_path, records, pretrained):
    workshop.command("data", "phantom", "scans", "--cases", "2")
    rows = sorted((tmp_path / "scans").glob("segmentation-*"))
    for image in (tmp_path / "scans").glob("volume-*"):
        image.unlink()
    (tmp_path / "masks.csv").write_text("\n".join(["label", *(f"scans/{path.name}" for path in rows)]) + "\n")
    masks = {"format": "masks", "csv": "masks.csv", "target": [2], "roi": [1, 2]}
    run = workshop.here(workshop.suite(methods=[TANDEM], training=SHORT, pretrain_on=masks))
    (folder,) = pretrained(run)
    assert json.loads((folder / "quality.json").read_text())["status"] == "finished"
    assert records(run)["tandem"]["status"] == "finished"
