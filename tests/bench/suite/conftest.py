"""A small suite model with every kind of field that the language has to explain, and a way to write suite files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, Field, model_validator

from bench.settings import Fraction, PositiveInt, Settings, SuitePath
from bench.suite.problems import SuiteProblems

LOSSES = ("cross_entropy", "dice", "tversky")


def known_loss(name: str) -> str:
    if name not in LOSSES:
        raise ValueError(f"unknown loss {name!r}. Known: {', '.join(LOSSES)}")
    return name


class Loss(Settings):
    """A loss by name."""

    name: Annotated[str, AfterValidator(known_loss)]
    fp_weight: Fraction = 0.5
    """Weight of false positives."""
    terms: tuple[Loss, ...] = ()


class Phantom(Settings):
    """Generated cases."""

    format: Literal["phantom"]
    cases: PositiveInt = 4


class Lits(Settings):
    """Files on disk."""

    format: Literal["lits"]
    root: SuitePath
    target: tuple[int, ...] | dict[str, tuple[int, ...]] = (2,)
    patch: tuple[int, int, int] = (16, 16, 16)


class Regressor(Settings):
    map: Literal["distance", "inverse", "norm_inverse", "signed"] = "distance"
    head: Literal["relu", "tanh"] = "relu"


class Method(Settings):
    id: str
    label: str = ""
    loss: Loss
    regressor: Regressor | None = None


class Training(Settings):
    """The budget."""

    steps: PositiveInt
    """Optimiser steps."""
    learning_rate: float = Field(default=1e-3, gt=0, description="Adam's learning rate.")
    compile: bool = False
    notes: dict[str, str] = Field(default={})


class Suite(Settings):
    """A small suite."""

    title: str = "untitled"
    dataset: Annotated[Phantom | Lits, Field(discriminator="format")]
    training: Training
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (0,)
    baseline: str | None = None
    methods: Annotated[tuple[Method, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def baseline_exists(self) -> Suite:
        if self.baseline is not None and self.baseline not in [method.id for method in self.methods]:
            error = ValueError(f"baseline {self.baseline!r} is no method's id")
            error.path = ("baseline",)  # type: ignore[attr-defined]
            raise error
        return self


GOOD = """\
title: A comparison
dataset: {format: phantom, cases: 3}
training:
  steps: 10
  learning_rate: 1e-3
methods:
  - id: a
    loss: {name: dice}
  - id: b
    loss: {name: tversky, fp_weight: 0.3}
"""


@pytest.fixture
def model() -> type[Suite]:
    return Suite


@pytest.fixture
def good() -> str:
    return GOOD


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a suite and return its path relative to the working directory, as a user would give it."""
    monkeypatch.chdir(tmp_path)

    def write(text: str | bytes, name: str = "suite.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return Path(name)

    return write


@pytest.fixture
def complaints() -> Callable[..., list[str]]:
    """Call something that must refuse, and return its complaints line by line."""

    def complaints(call: Callable[..., object], *args: object, **options: object) -> list[str]:
        with pytest.raises(SuiteProblems) as caught:
            call(*args, **options)
        return str(caught.value).splitlines()

    return complaints
