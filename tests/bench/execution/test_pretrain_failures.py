"""Pre-trainings that end without weights: what is on record, and what the cells that need them say."""

from __future__ import annotations

import json

from bench.execution.cleaning import leftovers
from bench.execution.context import RunContext
from bench.execution.pretrain_job import PretrainJob
from bench.execution.preview import describe_plan
from bench.files.checksum import seal_folder
from models.pretraining import Pretraining

LR_NET = {"name": "lr_net", "map": "norm_inverse", "pretraining_steps": 4}
DICE = {"id": "dice", "loss": {"name": "dice"}}
TANDEM = {"id": "tandem", "loss": {"name": "dice"}, "regressor": LR_NET}
HOPELESS = {"id": "hopeless", "loss": {"name": "dice"}, "regressor": {**LR_NET, "pretraining_rate": 1e30}}
SHORT = {"steps": 4, "validate_every": 2}


def test_one_that_diverges_fails_its_methods_with_the_reason_and_no_other(workshop, records, pretrained):
    run = workshop.here(workshop.suite(methods=[HOPELESS, TANDEM, DICE], training=SHORT))
    found = records(run)
    assert {name: record["status"] for name, record in found.items()} == {
        "hopeless": "failed",
        "tandem": "finished",
        "dice": "finished",
    }
    reason = found["hopeless"]["reason"]
    assert reason.startswith("PretrainingFailed: its regressor has no weights, the pre-training diverged: ")
    (folder,) = [one for one in pretrained(run) if not (one / "regressor.pt").exists()]
    assert reason.endswith(f"of 4; its records are in pretrained/{folder.name}; --retry-failed does both again")
    quality = json.loads((folder / "quality.json").read_text())
    assert quality["status"] == "diverged"
    assert quality["reason"] in reason
    assert "constant" not in quality


def test_what_fails_leaves_its_traceback_and_memory_that_runs_out_the_advice_of_a_cell(
    workshop, monkeypatch, pretrained
):
    def fails(error):
        def error_of(*_):
            raise error

        return error_of

    for error, status in ((ValueError("no such luck"), "failed"), (MemoryError("no room"), "out_of_memory")):
        monkeypatch.setattr(Pretraining, "error", fails(error))
        run = workshop.here(workshop.suite(methods=[TANDEM], training=SHORT), out=workshop.folder / status)
        (folder,) = pretrained(run)
        quality = json.loads((folder / "quality.json").read_text())
        assert quality["status"] == status
        assert str(error) in quality["reason"]
        assert (folder / "traceback.txt").exists() == (status == "failed")
    assert "no such luck" in (workshop.folder / "failed" / "pretrained" / folder.name / "traceback.txt").read_text()
    assert "lower sampling.patch_size" in quality["reason"]


def test_one_that_keeps_killing_its_process_is_given_up_and_fails_its_methods_alone(workshop, records):
    run = workshop.begin(workshop.suite(methods=[TANDEM, DICE], training=SHORT))
    context = RunContext.read(run)
    job = PretrainJob(context, context.plan.pretrain[0])
    run.work(job.id).mkdir(parents=True)
    job.start()
    job.record_deaths(run.work(job.id), "it died")
    seal_folder(job.building)
    job.publish()
    workshop.work(run)
    found = records(run)
    assert {name: record["status"] for name, record in found.items()} == {"tandem": "failed", "dice": "finished"}
    assert "the pre-training died: it died; its records are in pretrained/" in found["tandem"]["reason"]


def test_whatever_error_it_ends_with_is_the_reason_of_its_methods_and_can_be_tried_again(
    workshop, monkeypatch, records, pretrained
):
    suite = workshop.suite(methods=[TANDEM, DICE], training=SHORT)
    with monkeypatch.context() as patch:
        patch.setattr(Pretraining, "error", lambda self, batch: 1 / 0)
        run = workshop.here(suite)
    assert (
        "the pre-training failed: ZeroDivisionError: division by zero; its records are in pretrained/"
        in records(run)["tandem"]["reason"]
    )
    assert records(run)["dice"]["status"] == "finished"
    lines = describe_plan(workshop.plan(suite, retry_failed=True), "cpu")
    assert "  regressors 1: 0 done, 1 to do" in lines
    (folder,) = pretrained(run)
    workshop.command("run", suite, "--out", "run", "--workers", 1, "--retry-failed")
    assert json.loads((folder / "quality.json").read_text())["status"] == "finished"
    assert {record["status"] for record in records(run).values()} == {"finished"}
    assert f"pretrained/{folder.name}.failed" in {one.path.relative_to(run.path).as_posix() for one in leftovers(run)}
