"""What a finished cell holds: everything that is needed to trace its numbers, and to compute them again."""

from __future__ import annotations

import csv
import errno
import json
import os

import pytest
import torch

from bench.data.cache.store import CaseCache
from bench.data.prepared import open_prepared
from bench.data.reading import read_labels
from bench.errors import StorageError
from bench.evaluation.scoring import score
from bench.files.checksum import verify_folder
from bench.files.storage import saving
from bench.suite.schema import Suite
from bench.training.checkpoints import from_bytes


@pytest.fixture(scope="module")
def cell(uninterrupted):
    (cell,) = (uninterrupted / "cells").glob("dice-*")
    return cell


@pytest.fixture(scope="module")
def record(cell):
    return json.loads((cell / "cell.json").read_text())


def rows(cell, name: str) -> list[dict[str, str]]:
    with (cell / name).open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_cell_is_whole_and_says_how_it_ended(cell, record):
    verify_folder(cell)
    assert (record["id"], record["status"], record["reason"]) == (cell.name, "finished", "")
    assert record["steps"] == 12
    assert record["schema_version"] == 1


def test_a_cell_can_be_traced(cell, record):
    assert {"torch", "numpy", "commit", "finished_at", "device", "cpu_capability"} <= record["provenance"].keys()
    assert {"loss", "backbone", "training", "sampling", "evaluation", "cases", "seed"} <= record["identity"].keys()
    assert record["parameters"] > 0
    assert len(record["start_digest"]) == len(record["order_digest"]) == len(record["comparison"]) == 64
    assert Suite.model_validate_json((cell / "suite.json").read_text()).training.steps == 12
    assert {"seconds_per_step", "seconds_per_validated_case", "seconds_per_scored_case"} == record["timing"].keys()


def test_methods_of_a_seed_share_digests_and_their_weights_differ(uninterrupted, record):
    (other,) = (uninterrupted / "cells").glob("ce-*")
    theirs = json.loads((other / "cell.json").read_text())
    for digest in ("start_digest", "order_digest", "comparison"):
        assert theirs[digest] == record[digest]
    assert theirs["id"] != record["id"]


def test_every_test_case_has_a_row_and_a_mask_per_block_and_the_row_is_that_mask_s_score(cell, uninterrupted):
    table = rows(cell, "cases.csv")
    plan = json.loads((uninterrupted / "run.json").read_text())["plan"]
    names = {job["id"]: job["case"] for job in plan["prepare"]}
    tested = [names[identity] for identity in plan["cells"][0]["test"]]
    assert [(row["block"], row["case"]) for row in table] == [(b, case) for b in ("best", "last") for case in tested]
    cache = CaseCache.of_user()
    for row in table:
        (identity,) = [identity for identity, case in names.items() if case == row["case"]]
        reference = open_prepared(cache.folder(identity)).reference() == 1
        mask, grid = read_labels("case", cell / "predictions" / "main" / row["block"] / f"{row['case']}.nii.gz")
        scores = score(reference, mask == 1, grid.spacing_mm)
        assert float(row["dice"]) == scores["dice"]
        assert float(row["max_surface_distance_mm"]) == scores["max_surface_distance_mm"]


def test_lesions_have_the_place_of_their_case(cell):
    table = rows(cell, "lesions.csv")
    assert {row["dataset"] for row in table} == {"main"}
    assert {row["block"] for row in table} == {"best", "last"}
    assert {row["class"] for row in table} == {"target"}


def test_the_curve_has_one_line_per_record_in_the_order_of_steps(cell):
    lines = [json.loads(line) for line in (cell / "history.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "dice" in line] == [4, 8, 12]
    assert [line["step"] for line in lines if "objective" in line] == [10, 12]
    assert [line["step"] for line in lines] == sorted(line["step"] for line in lines)


def test_checkpoints_hold_the_best_and_the_last_weights(cell, record):
    weights = {b: from_bytes((cell / "checkpoints" / f"{b}.pt").read_bytes())["weights"] for b in ("best", "last")}
    same = all(torch.equal(weights["best"][name], weights["last"][name]) for name in weights["last"])
    assert same == (record["best_step"] == record["steps"])
    lines = [json.loads(line) for line in (cell / "history.jsonl").read_text().splitlines()]
    dice = {line["step"]: line["dice"] for line in lines if "dice" in line}
    assert record["best_validation_dice"] == max(dice.values()) == dice[record["best_step"]]


def test_when_the_last_checkpoint_is_the_best_its_rows_and_masks_are_the_same(workshop):
    run = workshop.here(workshop.suite(training={"validate_every": 12}), methods=("dice",))
    (cell,) = (run.path / "cells").iterdir()
    table = rows(cell, "cases.csv")
    half = len(table) // 2
    assert [row | {"block": ""} for row in table[:half]] == [row | {"block": ""} for row in table[half:]]
    assert {row["block"] for row in table[half:]} == {"last"}
    masks = cell / "predictions" / "main"
    for path in (masks / "best").iterdir():
        assert path.read_bytes() == (masks / "last" / path.name).read_bytes()
    assert "scoring last" not in [event["phase"] for event in workshop.events(run.path)]


def test_evaluation_only_data_sets_are_scored_and_train_nothing(workshop):
    clinic = {"format": "phantom", "cases": 2, "seed": 8, "size": [20, 32, 32], "spacing_mm": [6.0, 5.0, 5.0]}
    run = workshop.here(workshop.suite(evaluate_on={"clinic": clinic}), methods=("dice",))
    (cell,) = (run.path / "cells").iterdir()
    table = rows(cell, "cases.csv")
    assert [row["case"] for row in table if row["dataset"] == "clinic"] == ["phantom-0", "phantom-1"] * 2
    assert len([row for row in table if row["dataset"] == "main"]) == 4
    assert len(list((cell / "predictions" / "clinic" / "best").iterdir())) == 2
    plan = run.read_run()["plan"]
    (planned,) = [cell for cell in plan["cells"] if cell["method"] == "dice"]
    assert not set(planned["evaluate_on"]["clinic"]) & {*planned["train"], *planned["validation"], *planned["test"]}


def test_class_weights_that_a_loss_chose_are_recorded_and_printed(workshop, capsys):
    weighted = {"name": "sum", "terms": [{"name": "dice"}, {"name": "weighted_cross_entropy", "weight": "inverse"}]}
    methods = [{"id": "weighted", "loss": weighted}, {"id": "dice", "loss": {"name": "dice"}}]
    run = workshop.here(workshop.suite(methods=methods))
    (record,) = (json.loads(path.read_text()) for path in run.path.glob("cells/weighted-*/cell.json"))
    background, target = record["class_frequencies"]
    assert background + target == pytest.approx(1)
    assert record["class_weights"] == [
        {"loss": "weighted_cross_entropy", "weights": pytest.approx([1 / background, 1 / target])}
    ]
    printed = capsys.readouterr().out.splitlines()
    assert f"{record['id']}: class frequencies: background {background:.6g}, target {target:.6g}" in printed
    assert any("class weights of weighted_cross_entropy: background" in line for line in printed)
    (plain,) = (json.loads(path.read_text()) for path in run.path.glob("cells/dice-*/cell.json"))
    assert plain["class_frequencies"] == record["class_frequencies"]
    assert "class_weights" not in plain
    assert len(printed) == 2


def test_a_cache_that_takes_nothing_more_does_not_keep_a_cell_from_its_result(
    workshop, scans, empty_cache, monkeypatch
):
    run = workshop.begin(workshop.suite(dataset=scans), methods=("dice",))
    for name in ("timings.json", "fingerprints.json"):
        (empty_cache.parents[1] / name).unlink(missing_ok=True)
        (empty_cache.parents[1] / name).mkdir()  # what is to be renamed to it is refused
    workshop.work(run)
    (record,) = (json.loads(path.read_text()) for path in run.path.glob("cells/*/cell.json"))
    assert record["status"] == "finished"


def left(run) -> str:
    (record,) = (json.loads(path.read_text()) for path in run.path.glob("cells/raises-*/cell.json"))
    return f"{record['status']}: {record['reason']}"


@pytest.mark.parametrize("error", ["FileNotFoundError", "ConnectionError", "TimeoutError", "SystemExit"])
def test_what_a_method_raises_is_its_own_end_whatever_it_is(workshop, misbehaving, error):
    run = workshop.here(workshop.suite(methods=[{"id": "raises", "loss": {"name": "raises", "error": error}}]))
    assert left(run) == f"failed: {error}: no such luck"
    (traceback,) = run.path.glob("cells/raises-*/traceback.txt")
    assert error in traceback.read_text()


def test_a_full_disk_is_not_the_method_s_end(workshop, monkeypatch):
    def full(*_: object) -> None:
        with saving(workshop.folder / "mask"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("bench.execution.scoring.write_labels", full)
    run = workshop.begin(workshop.suite())
    with pytest.raises(StorageError, match="No space left"):
        workshop.work(run)
    assert not list(run.path.glob("cells/*"))


def test_memory_that_the_machine_does_not_have_is_told_with_what_takes_less(workshop, monkeypatch):
    monkeypatch.setattr("bench.execution.cell_job.build_method", lambda *_: torch.empty(1 << 50))
    run = workshop.here(workshop.suite(methods=[{"id": "raises", "loss": {"name": "dice"}}]))
    assert left(run).startswith(
        "out_of_memory: out of memory with patch [16, 16, 16] and batch 1; lower sampling.patch"
    )
