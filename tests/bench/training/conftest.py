"""A training small enough to run in a moment, in this process or in another one that is killed."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import losses
import models
from bench.data.augmentation import AugmentationSettings
from bench.data.sampler import PatchSampler, SamplingSettings
from bench.training.device import make_repeatable
from bench.training.loop import Trained, Training
from bench.training.settings import TrainingSettings
from models.method import Method

CPU = torch.device("cpu")
BUDGET = {"steps": 12, "validate_every": 5, "checkpoint_every": 3, "learning_rate": 0.01}


def case(seed: int, dimensions: int = 3) -> SimpleNamespace:
    """Two channels of noise; a box, bright in the first, is the target."""
    random = np.random.default_rng(seed)
    labels = np.zeros((12, 14, 16)[:dimensions], np.int8)
    labels[(slice(4, 8),) * dimensions] = 1
    image = random.normal(0, 0.5, (2, *labels.shape)).astype(np.float32)
    image[0] += labels
    spacing, foreground = (1.0,) * dimensions, [np.flatnonzero(labels)]
    return SimpleNamespace(
        id=f"{seed}", image=image, labels=labels, roi=None, spacing_mm=spacing, foreground=foreground
    )


def tiny_method(
    loss: str = "dice", seed: int = 0, dimensions: int = 3, classes: int = 2, dropout: bool = False
) -> Method:
    backbone = models.create_backbone(
        "residual_unet", in_channels=2, classes=classes, spatial_dims=dimensions, widths=(2, 4)
    )
    method = Method(backbone, losses.create(loss))
    models.initialise(method, seed)
    if dropout:
        backbone.head = nn.Sequential(nn.Dropout(0.5), backbone.head)
    return method


def validation_dice(method: Method) -> dict[str, float]:
    """DC of two whole volumes."""
    scores = {}
    for one in (case(100), case(101)):
        found = method.segment(torch.from_numpy(one.image)[None])[0].argmax(0).numpy() == 1
        scores[one.id] = float(2 * (found & (one.labels == 1)).sum() / (found.sum() + (one.labels == 1).sum()))
    return scores


@dataclass
class Tiny:
    """Everything a `Training` takes, to be changed by a test."""

    folder: Path
    budget: dict[str, Any] = field(default_factory=dict)
    method: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    validate: Callable[[Method], dict[str, float]] = field(default=validation_dice)
    seen: list[tuple[str, int]] = field(default_factory=list)
    """What the training told its watch."""

    def training(self, method: Method | None = None) -> Training:
        dimensions = self.method.get("dimensions", 3)
        augmentation = AugmentationSettings(noise=0.1)
        sampling = SamplingSettings(patch_size=(8,) * dimensions, augmentation=augmentation)
        sampler = PatchSampler([case(seed, dimensions) for seed in range(3)], sampling, self.seed)
        settings = TrainingSettings(**(BUDGET | self.budget))
        method = method or tiny_method(**{"seed": self.seed, **self.method})
        return Training(method, sampler, self.validate, settings, self.folder, CPU, self.watch)

    def watch(self, phase: str, step: int, **facts: float) -> None:
        self.seen.append((phase, step))

    def run(self, method: Method | None = None) -> Trained:
        return self.training(method).run()


@dataclass
class Asked(Tiny):
    """A training that is asked to stop, by a signal, in a given phase of a given step."""

    at: tuple[str, int] = ("training", 0)

    def watch(self, phase: str, step: int, **facts: float) -> None:
        super().watch(phase, step, **facts)
        if (phase, step) == self.at:
            os.kill(os.getpid(), signal.SIGTERM)


@dataclass
class Killed(Tiny):
    """A training that ends its own process with SIGKILL in a given phase of a given step."""

    at: tuple[str, int] = ("training", 0)

    def watch(self, phase: str, step: int, **facts: float) -> None:
        if (phase, step) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def forking() -> Any:
    """Processes from a server that has imported everything (optimisers need dynamo) and computed nothing."""
    context = multiprocessing.get_context("forkserver")
    modules = [
        "pytest",
        "torch._dynamo",
        "bench.training.loop",
        "models.backbones.residual_unet",
        "losses.library.dice",
    ]
    context.set_forkserver_preload(modules)
    return context


def run_killed(folder: Path, at: tuple[str, int], **changes: Any) -> None:
    """Train in another process, which is killed at the given moment."""
    arguments = {"folder": folder, "at": at, **changes}
    process = forking().Process(target=runpy.run_path, args=(__file__, {"killed": arguments}, "killed training"))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def _equal(one, other) -> bool:
    """Whether two states are the same to the last bit."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    return one == other


def _same_outcome(one, other) -> bool:
    return all(_equal(getattr(one, name), getattr(other, name)) for name in ("best", "last", "progress"))


@pytest.fixture
def equal():
    return _equal


@pytest.fixture
def same_outcome():
    return _same_outcome


@pytest.fixture
def processes():
    return forking()


@pytest.fixture
def tiny(tmp_path):
    return Tiny(tmp_path / "resume")


@pytest.fixture
def asked(tmp_path):
    return Asked(tmp_path / "asked")


@pytest.fixture
def kill_training():
    return run_killed


@pytest.fixture
def new_method():
    return tiny_method


@pytest.fixture(autouse=True)
def repeatable():
    """One thread and deterministic kernels, as in a worker; the switches are global, so they are put back."""
    threads = torch.get_num_threads()
    make_repeatable(1, CPU)
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


if __name__ == "killed training":
    make_repeatable(1, CPU)
    Killed(**globals()["killed"]).run()
