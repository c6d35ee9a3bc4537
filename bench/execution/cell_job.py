"""The job that trains one method on one split with one seed, and scores it."""

from __future__ import annotations

import math
import shutil
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from bench import stopping
from bench.data.prepared import Prepared
from bench.data.sampler import PatchSampler
from bench.errors import BenchError, StorageError
from bench.evaluation.lesions import LESION_COLUMNS
from bench.evaluation.scoring import SCORE_COLUMNS
from bench.execution.assembly import build_method, chosen_weights, class_statistics
from bench.execution.environment import environment_here, note_passage, passed_through, started_in
from bench.execution.failure import failure
from bench.execution.job import RESULT
from bench.execution.run_job import RunJob
from bench.execution.scoring import Scorer, collect, repeat_block, score_block
from bench.execution.slices import keep_slices
from bench.execution.stages import begin, refuse_thawed, stage_settings
from bench.execution.timings import remember
from bench.execution.watch import JobWatch
from bench.files.atomic import write_bytes, write_json
from bench.files.rows import write_rows
from bench.files.storage import copy_folder, make_folder
from bench.results.provenance import provenance
from bench.results.records import BLOCKS, Status, write_cell, write_history
from bench.suite.plan import CellPlan
from bench.training.checkpoints import to_bytes
from bench.training.device import device_facts, make_repeatable
from bench.training.digests import start_digest
from bench.training.loop import Progress, Trained, Training
from models.method import Method

WHERE_FIELDS = ("dataset", "block", "case", "patient", "class")
CASE_FIELDS = (*WHERE_FIELDS, *SCORE_COLUMNS)
LESION_FIELDS = (*WHERE_FIELDS, *LESION_COLUMNS)


@dataclass(frozen=True)
class CellJob(RunJob):
    """Trains and scores one cell. Every way of ending but a killed process is a result with a reason."""

    plan: CellPlan

    @property
    def id(self) -> str:
        return self.plan.id

    @property
    def target(self) -> Path:
        return self.context.run.cell(self.plan.id)

    @cached_property
    def needs(self) -> tuple[Path, ...]:
        run, cache = self.context.run, self.context.cache
        cached = (cache.folder(identity) for identity in (*self.plan.needs, *self.plan.map_needs))
        pretrained = () if self.plan.pretrained is None else (run.pretrained(self.plan.pretrained),)
        start = () if self.plan.start is None else (run.cell(self.plan.start),)
        return (*cached, *pretrained, *start)

    def run(self, working: Path, watch: JobWatch) -> None:
        """Train from the newest checkpoint, score what is not scored yet, and write the records.

        Raises:
            DataError: a source file of its cases has another content than when the run was planned.
        """
        self.context.sources.refuse_changed(self.plan.needs)
        note_passage(working, environment_here(self.context.device_name))
        facts: dict[str, Any] = {}
        try:
            self._train_and_score(working, watch, facts)
            status: Status = "finished"
            reason = ""
        except (BenchError, stopping.Interrupted):
            raise  # the run's trouble, not the method's: a full disk, a foreign checkpoint, a request to stop
        except (Exception, SystemExit) as error:  # noqa: BLE001
            # A method may fail in any way, also by leaving; that is its result, and the others go on.
            status, reason = failure(error, self.context.suite, working / RESULT)
        self.context.sources.refuse_changed(self.plan.needs)
        watch("recording")
        self._write(working, status, reason, facts)

    def record_deaths(self, working: Path, reason: str) -> None:
        self._write(working, "died", reason, {})

    def _train_and_score(self, working: Path, watch: JobWatch, facts: dict[str, Any]) -> None:
        suite, device = self.context.suite, self.context.device
        make_repeatable(suite.training.threads_per_cell, device)
        train = [self._cases[identity] for identity in self.plan.train]
        method = build_method(suite, self.plan, train)
        facts["class_frequencies"] = list(class_statistics(train).class_frequencies)
        self._note_weights(method, facts)
        facts["start_digest"] = start_digest(method.backbone)
        facts["parameters"] = sum(parameter.numel() for parameter in method.backbone.parameters())
        begin(method, self.plan, self.context.run, facts)
        scorer = Scorer(suite, device)
        trained = self._train(method, train, scorer, working, watch, facts)
        refuse_thawed(method, facts)
        if math.isfinite(trained.timing["seconds_per_step"]):  # steps were taken, so scores here are of other weights
            for stale in ("scores", "predictions"):
                shutil.rmtree(working / stale, ignore_errors=True)
        method.load_state_dict(trained.best)
        seconds = score_block(scorer, self.plan, self._cases, method, "best", working, watch)
        if trained.progress.best_step == trained.progress.step:
            repeat_block(self.plan, working, "best", "last")
        else:
            method.load_state_dict(trained.last)
            score_block(scorer, self.plan, self._cases, method, "last", working, watch)
        self._keep(working, {"best": trained.best, "last": trained.last})
        keep_slices(self.context.run, ((case, self._cases[case]) for case in self.plan.scored))
        timing = trained.timing | {"seconds_per_scored_case": seconds}
        facts["timing"] = {name: value for name, value in timing.items() if math.isfinite(value)}
        if len(facts["timing"]) == len(timing):  # a resumed cell has not seen everything
            with suppress(StorageError):  # the user's cache only makes plans more telling; the result does not need it
                remember(suite, device_facts(device), timing)

    def _note_weights(self, method: Method, facts: dict[str, Any]) -> None:
        """Record and print what the loss made of the class frequencies."""
        weights = chosen_weights(method)
        if not weights:
            return
        facts["class_weights"] = weights
        classes = ("background", *self.context.suite.dataset.classes)
        for name, values in [
            ("class frequencies", facts["class_frequencies"]),
            *((f"class weights of {entry['loss']}", entry["weights"]) for entry in weights),
        ]:
            listed = ", ".join(f"{label} {value:.6g}" for label, value in zip(classes, values, strict=False))
            print(f"{self.id}: {name}: {listed}", flush=True)

    def _train(
        self,
        method: Method,
        train: list[Prepared],
        scorer: Scorer,
        working: Path,
        watch: JobWatch,
        facts: dict[str, Any],
    ) -> Trained:
        validation = [self._cases[identity] for identity in self.plan.validation]

        def validate(current: Method) -> dict[str, float]:
            self.context.sources.refuse_changed(self.plan.needs)
            return scorer.validation_dice(current, validation)

        training = Training(
            method,
            PatchSampler(train, self.context.suite.sampling, self.plan.seed),
            validate,
            stage_settings(self.context.suite.training, self.plan),
            working / "resume",
            self.context.device,
            watch,
            self.context.stored_maps(method.required_maps, self.plan.maps, train),
        )
        try:
            return training.run()
        finally:
            facts.update(_outcome(training.progress))
            history = [*training.progress.training, *training.progress.validations]
            write_history(working / RESULT / "history.jsonl", sorted(history, key=lambda record: record["step"]))

    @cached_property
    def _cases(self) -> dict[str, Prepared]:
        """The prepared cases by identity."""
        return {identity: self.context.prepared(identity) for identity in self.plan.needs}

    def _keep(self, working: Path, weights: dict[str, dict[str, torch.Tensor]]) -> None:
        """Put weights, masks and rows into the result; copies, so that a resume still finds the masks."""
        checkpoints = make_folder(working / RESULT / "checkpoints")
        for block, tensors in weights.items():
            write_bytes(checkpoints / f"{block}.pt", to_bytes({"weights": tensors}))
        copy_folder(working / "predictions", working / RESULT / "predictions")
        cases = collect(self.plan, working, BLOCKS, "cases")
        write_rows(working / RESULT / "cases.csv", cases, CASE_FIELDS)
        write_rows(working / RESULT / "lesions.csv", collect(self.plan, working, BLOCKS, "lesions"), LESION_FIELDS)

    def _write(self, working: Path, status: Status, reason: str, facts: dict[str, Any]) -> None:
        method = next(m for m in self.context.suite.methods if m.id == self.plan.method)
        record = {
            "id": self.plan.id,
            "method": method.id,
            "label": method.title,
            "seed": self.plan.seed,
            "fold": self.plan.fold,
            "profile": self.context.profile,
            "status": status,
            "reason": reason,
            "selected_on_reported": self.plan.selected_on_reported,
            "comparison": self.plan.comparison,
            "identity": self.plan.identity,
            **facts,
            "started_in": started_in(self.context.run),
            "environments": passed_through(working),
            "provenance": provenance() | device_facts(self.context.device),
        }
        write_cell(working / RESULT, record)
        write_json(working / RESULT / "suite.json", self.context.suite.model_dump(mode="json"))


def _outcome(progress: Progress) -> dict[str, Any]:
    return {
        "steps": progress.step,
        "order_digest": progress.order_digest,
        "best_step": progress.best_step,
        "best_validation_dice": max(progress.dice(), default=None),
    }
