"""The job that trains a regressor on reference masks, once for all cells that need the same one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

import models
from bench import stopping
from bench.data.batches import assemble
from bench.data.patch_maps import PatchMaps
from bench.data.prepared import Prepared
from bench.data.sampler import PatchSampler
from bench.errors import BenchError, StorageError
from bench.evaluation.regression import PatchQuality, patch_quality, quality_table
from bench.execution.assembly import attach_regressor
from bench.execution.failure import failure, remedy
from bench.execution.job import RESULT
from bench.execution.run_job import RunJob
from bench.execution.timings import remember
from bench.execution.watch import JobWatch
from bench.files.atomic import write_bytes, write_json
from bench.files.json_files import read_json
from bench.results.records import QUALITY, write_history
from bench.suite.plan import PretrainPlan
from bench.training.checkpoints import from_bytes, to_bytes
from bench.training.device import device_facts, make_repeatable
from bench.training.digests import digest_of
from bench.training.loop import Training
from bench.training.settings import TrainingSettings
from models.heads import INSIDE, upright
from models.method import Batch, Method
from models.pretraining import Pretraining
from models.regressor import Regressor

WEIGHTS = "regressor.pt"
VALIDATION_BATCHES = 32
"""Batches of the validation cases, drawn as those of training; their mean smooth L1 selects the checkpoint, as with the
authors of LR-Net, and their maps measure its quality."""
VALIDATIONS, FEWEST_STEPS_BETWEEN = 10, 50
"""How often a pre-training is validated, beside its last step."""


@dataclass(frozen=True)
class PretrainJob(RunJob):
    """Trains what `Regressor.pretraining` describes.

    Every way of ending but a killed process is a result, as of a cell; the cells that need the regressor report it.
    """

    plan: PretrainPlan

    @property
    def id(self) -> str:
        return self.plan.id

    @property
    def target(self) -> Path:
        return self.context.run.pretrained(self.plan.id)

    @cached_property
    def needs(self) -> tuple[Path, ...]:
        return tuple(self.context.cache.folder(identity) for identity in (*self.plan.needs, *self.plan.map_needs))

    def run(self, working: Path, watch: JobWatch) -> None:
        """Train from the newest checkpoint, then measure the best weights on validation patches."""
        self.context.sources.refuse_changed(self.plan.needs)
        suite, device = self.context.suite, self.context.device
        make_repeatable(suite.training.threads_per_cell, device)
        train, validation = (self._cases(identities) for identities in (self.plan.train, self.plan.validation))
        regressor = attach_regressor(suite, self.plan.regressor, None, train[0].image.ndim - 1)
        models.initialise(regressor, self.plan.seed)
        method = Pretraining(regressor)
        batches = _ValidationBatches(
            PatchSampler(validation, suite.sampling, self.plan.seed),
            self.context.stored_maps(method.required_maps, self.plan.validation_maps, validation),
        )
        training = Training(
            method,
            PatchSampler(train, suite.sampling, self.plan.seed),
            lambda current: batches.errors_turned(current, device),
            self._settings(regressor),
            working / "resume",
            device,
            watch,
            self.context.stored_maps(method.required_maps, self.plan.maps, train),
        )
        record: dict[str, Any] = {"regressor": regressor.pretraining, "status": "finished", "reason": ""}
        try:
            trained = training.run()
            method.load_state_dict(trained.best)
            record |= {"best_step": trained.progress.best_step, "digest": digest_of(regressor)}
            record |= quality_table(list(batches.qualities(method, device)))
            self._remember(trained.timing["seconds_per_step"])
            write_bytes(working / RESULT / WEIGHTS, to_bytes({"weights": regressor.state_dict()}))
        except (BenchError, stopping.Interrupted):
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001
            record["status"], record["reason"] = failure(error, suite, working / RESULT)
        self.context.sources.refuse_changed(self.plan.needs)
        errors = [{"step": one["step"], "validation_regression": -one["dice"]} for one in training.progress.validations]
        history = [*training.progress.training, *errors]
        write_history(working / RESULT / "history.jsonl", sorted(history, key=lambda entry: entry["step"]))
        write_json(working / RESULT / QUALITY, record | {"steps": training.progress.step})

    def _remember(self, seconds: float) -> None:
        """So that plans can say what a pre-training costs; the result does not need it."""
        if math.isfinite(seconds):
            with suppress(StorageError):
                facts = device_facts(self.context.device)
                remember(self.context.suite, facts, {"seconds_per_step": seconds}, pretraining=True)

    def record_deaths(self, working: Path, reason: str) -> None:
        write_json(working / RESULT / QUALITY, {"status": "died", "reason": reason, "steps": 0})

    def _cases(self, identities: tuple[str, ...]) -> list[Prepared]:
        return [self.context.prepared(identity) for identity in identities]

    def _settings(self, regressor: Regressor) -> TrainingSettings:
        """Its own steps and learning rate, everything else as in the suite; compiling is not worth it."""
        stage = regressor.pretraining
        assert stage is not None
        steps = int(stage["steps"])
        own = {
            "steps": steps,
            "learning_rate": float(stage["learning_rate"]),
            "validate_every": max(FEWEST_STEPS_BETWEEN, steps // VALIDATIONS),
            "schedule": None,
            "protocol": "fixed",
            "compile": False,
        }
        return self.context.suite.training.model_copy(update=own)


def use_pretrained(method: Method, folder: Path) -> None:
    """Give a method the regressor of a pre-training and freeze it.

    Raises:
        PretrainingFailed: it has no weights; the message names its folder and what to do.
    """
    record = read_json(folder / QUALITY)
    if record["status"] != "finished":
        raise PretrainingFailed(
            f"its regressor has no weights, the pre-training {record['status']}: {record['reason']}; {remedy(folder)}"
        )
    assert method.regressor is not None
    path = folder / WEIGHTS
    method.regressor.load_state_dict(from_bytes(path.read_bytes(), str(path))["weights"])
    method.regressor.freeze()


class PretrainingFailed(Exception):
    """A cell cannot train, because the regressor that it needs could not be trained."""


@dataclass(frozen=True)
class _ValidationBatches:
    """The same patches of the validation cases at every validation."""

    sampler: PatchSampler
    maps: PatchMaps

    @torch.no_grad()
    def errors_turned(self, method: Method, device: torch.device) -> dict[str, float]:
        """Minus the error of every batch by its number, because the loop keeps the weights of the highest score.

        Not the Dice: a map that is above its threshold everywhere has the same Dice however much it is learned.
        """
        assert isinstance(method, Pretraining)
        batches = (batch.to(device) for batch in self._batches())
        return {str(number): -float(method.error(batch)) for number, batch in enumerate(batches)}

    @torch.no_grad()
    def qualities(self, method: Method, device: torch.device) -> Iterator[PatchQuality]:
        """One per patch and foreground class."""
        regressor = method.regressor
        assert regressor is not None
        (kind,) = method.required_maps
        for batch in self._batches():
            values = regressor.reconstruct(batch.labels.to(device)).float().cpu().numpy()
            labels, target = batch.labels.numpy(), batch.maps[kind].numpy()
            for b, c in np.ndindex(values.shape[:2]):
                counted = labels[b] >= 0
                mask = (labels[b] == c + 1)[counted]
                found, wanted = (upright(regressor.head, array[b, c][counted]) for array in (values, target))
                yield patch_quality(found, wanted, mask, INSIDE[regressor.head])

    def _batches(self) -> Iterator[Batch]:
        for step in range(VALIDATION_BATCHES):
            yield assemble(self.sampler, self.sampler.plan(step), self.maps)
