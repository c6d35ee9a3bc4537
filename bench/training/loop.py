"""The training loop: fixed steps, the same for every method, resumable at any moment to the same bits.

Knows `models.Method` and nothing of losses or regressors. The state that is carried from step to step is weights,
optimiser, history and best weights; batches, random numbers, learning rate and validation steps are functions of it.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from bench import stopping
from bench.data.batches import prefetched
from bench.data.maps import STEP
from bench.data.patch_maps import NO_MAPS, PatchMaps
from bench.data.sampler import PatchSampler
from bench.training.checkpoints import load_newest, save_checkpoint
from bench.training.compilation import compile_for_training
from bench.training.schedule import learning_rate
from bench.training.settings import TRAINING_VERSION, TrainingSettings
from losses.base import NotFiniteError
from models.method import Batch, Method

Validate = Callable[[Method], Mapping[str, float]]
"""Full-volume validation: DC of every validation case, by case id. May end with `Interrupted` between two cases."""

Weights = dict[str, torch.Tensor]


class Watch(Protocol):
    """Told about everything that happens, for progress bars and phase logs."""

    def __call__(self, phase: str, step: int, **facts: float) -> None: ...


class Diverged(Exception):
    """A loss or gradient that is not finite; the cell ends here, and that is a result."""

    def __init__(self, reason: str, step: int) -> None:
        super().__init__(reason)
        self.step = step


@dataclass
class Progress:
    """What has happened so far; plain values, stored in every checkpoint."""

    step: int = 0
    order_digest: str = ""
    training: list[dict[str, Any]] = field(default_factory=list)
    validations: list[dict[str, Any]] = field(default_factory=list)
    best_step: int = 0

    def dice(self) -> list[float]:
        """Mean validation DC of every validation so far."""
        return [float(record["dice"]) for record in self.validations]


@dataclass(frozen=True)
class Trained:
    """The outcome of a finished training."""

    best: Weights
    last: Weights
    progress: Progress
    timing: dict[str, float]
    """Median `seconds_per_step` and `seconds_per_validated_case` of what this process did; NaN of nothing."""


LOG_EVERY = 10
"""Steps between records of the training curve."""

LOOK_EVERY = 50
"""Steps between looks at what the terms do to each other, each as expensive as a step; the last step has one too."""

CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
"""Memory format by number of axes."""


class Training:
    """One method trained by one budget in one folder; `run` continues from the newest checkpoint there."""

    def __init__(
        self,
        method: Method,
        sampler: PatchSampler,
        validate: Validate,
        settings: TrainingSettings,
        folder: Path,
        device: torch.device,
        watch: Watch,
        maps: PatchMaps = NO_MAPS,
    ) -> None:
        self.method = method.to(device)
        self._format = torch.contiguous_format
        if settings.memory_format == "channels_last":
            self._format = CHANNELS_LAST[len(sampler.settings.patch_size) + 2]
            use_channels_last(self.method)
        if settings.compile:
            compile_for_training(self.method)
        trained = (parameter for parameter in self.method.parameters() if parameter.requires_grad)
        self.optimiser = torch.optim.Adam(trained, lr=settings.learning_rate, fused=True)
        self.sampler, self.maps, self.validate, self.settings = sampler, maps, validate, settings
        self.folder, self.device, self.watch = folder, device, watch
        self.progress = Progress()
        self.best: Weights = {}
        self._step_seconds: list[float] = []
        self._case_seconds: list[float] = []
        self._pending: list[dict[str, float]] = []

    def run(self) -> Trained:
        """Train to the last step.

        Raises:
            Diverged: a loss or gradient stopped being finite; the last checkpoint stays.
            Interrupted: this process was asked to stop; the newest checkpoint is of the last step that was done.
        """
        self._restore()
        validation_steps = self.settings.validation_steps()
        if self.progress.step in validation_steps and not self._is_validated():
            self._validate()
            self._save()
        for planned in prefetched(self.sampler, self.progress.step, self.settings.steps, self.maps):
            self._pending.append(self.step(planned.batch))
            progress = self.progress
            progress.order_digest = self.sampler.digest(planned.plan, progress.order_digest)
            progress.step += 1
            if progress.step % LOG_EVERY == 0 or progress.step == self.settings.steps:
                self._log()
            stop = stopping.asked()  # once, so that no request can come between looking and leaving
            if progress.step in validation_steps:
                self._validate()
                self._save()
            elif stop or progress.step % self.settings.checkpoint_every == 0:
                self._save()
            if stop:
                stopping.leave_if_asked()
        timing = {
            "seconds_per_step": _median(self._step_seconds),
            "seconds_per_validated_case": _median(self._case_seconds),
        }
        return Trained(self.best, weights_of(self.method), self.progress, timing)

    def step(self, batch: Batch) -> dict[str, float]:
        """Forward, backward and one step of the optimiser; returns what the training curve records of it.

        Raises:
            Diverged: a loss, its logits or a gradient is not finite; the weights are as before.
        """
        started = time.perf_counter()
        step = self.progress.step
        rate = learning_rate(self.settings, step, self.progress.dice())
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.method.train()
        torch.manual_seed(step_seed(self.sampler.seed, step))
        self.optimiser.zero_grad(set_to_none=True)
        autocast = (
            torch.autocast(self.device.type, torch.bfloat16) if self.settings.precision == "bf16" else nullcontext()
        )
        try:
            with autocast:
                terms = self.method.training_terms(self._on_device(batch))
        except NotFiniteError as error:
            raise self._diverged(f"segmentation could not be computed ({error})") from error
        looks = (step + 1) % LOOK_EVERY == 0 or step + 1 == self.settings.steps
        facts = self.method.gradient_facts(terms) if looks else {}
        objective = self.method.objective(terms)
        objective.backward()  # type: ignore[no-untyped-call]
        values = {name: float(term.value.detach()) for name, term in terms.items()}
        if len(terms) > 1 or self.method.regressor is not None:
            values |= {f"{name}_weighted": float((term.weight * term.value).detach()) for name, term in terms.items()}
        values["objective"] = float(objective.detach())
        values["gradient_norm"] = float(torch.nn.utils.get_total_norm(self._gradients()))
        self._refuse_non_finite(values)
        self.optimiser.step()
        self._step_seconds.append(time.perf_counter() - started)
        self.watch("training", step + 1, of=self.settings.steps)
        return {**values, **facts, "learning_rate": rate}

    def _refuse_non_finite(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            if not math.isfinite(value):
                raise self._diverged(f"{name} became {value}")

    def _diverged(self, reason: str) -> Diverged:
        """The end of this training; what its curve has so far is in `progress`."""
        if self._pending:
            self._log()
        step = self.progress.step + 1
        return Diverged(f"{reason} at step {step} of {self.settings.steps}", step)

    def _on_device(self, batch: Batch) -> Batch:
        moved = batch.to(self.device, self._format)
        if STEP not in self.method.required_maps:
            return moved
        step = torch.full((), self.progress.step, dtype=torch.int64, device=self.device)
        return replace(moved, maps={**moved.maps, STEP: step})

    def _gradients(self) -> list[torch.Tensor]:
        return [parameter.grad for parameter in self.method.parameters() if parameter.grad is not None]

    def _log(self) -> None:
        means = {}
        for key in dict.fromkeys(key for record in self._pending for key in record):
            known = [record[key] for record in self._pending if key in record]
            means[key] = sum(known) / len(known)
        self.progress.training.append({"step": self.progress.step, **means})
        self._pending.clear()

    def _validate(self) -> None:
        self.watch("validation", self.progress.step)
        started = time.perf_counter()
        self.method.eval()
        try:
            cases = dict(self.validate(self.method))
        except stopping.Interrupted:
            self._save()
            raise
        self._case_seconds.append((time.perf_counter() - started) / len(cases))
        mean = sum(cases.values()) / len(cases)
        if not self.best or mean > max(self.progress.dice()):
            self.best, self.progress.best_step = weights_of(self.method), self.progress.step
        self.progress.validations.append({"step": self.progress.step, "dice": mean, "cases": cases})
        self.watch("validated", self.progress.step, dice=mean)

    def _is_validated(self) -> bool:
        """Whether the last step was validated, and not broken off at that."""
        return bool(self.progress.validations) and self.progress.validations[-1]["step"] == self.progress.step

    def _save(self) -> None:
        state = {
            "weights": weights_of(self.method),
            "optimiser": self.optimiser.state_dict(),
            "best": self.best,
            "pending": self._pending,
            "progress": vars(self.progress),
        }
        self.watch("checkpoint", self.progress.step)
        save_checkpoint(self.folder, self.progress.step, state)

    def _restore(self) -> None:
        state = load_newest(self.folder)
        if state is None:
            return
        self.method.load_state_dict(state["weights"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.best, self._pending = state["best"], state["pending"]
        self.progress = Progress(**state["progress"])
        self.watch("resumed", self.progress.step)


def step_seed(seed: int, step: int) -> int:
    """64 bits for torch's generator before a step, so that dropout too is a function of (seed, step)."""
    return int.from_bytes(hashlib.sha256(f"training {TRAINING_VERSION} {seed} {step}".encode()).digest()[:8], "little")


def use_channels_last(module: nn.Module) -> None:
    """Store all convolution weights channels last; names and values stay."""
    for parameter in module.parameters():
        if parameter.ndim in CHANNELS_LAST:
            parameter.data = parameter.data.contiguous(memory_format=CHANNELS_LAST[parameter.ndim])


def weights_of(method: Method) -> Weights:
    """A copy of all weights on the CPU."""
    return {name: value.detach().to("cpu", copy=True) for name, value in method.state_dict().items()}


def _median(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) // 2] if seconds else math.nan
