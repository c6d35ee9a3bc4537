"""Settings of the training budget; all but the checkpoint interval are part of a cell's hash."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bench.settings import Fraction, PositiveFloat, PositiveInt, Settings

TRAINING_VERSION = 2
"""Part of every cell's hash: raise it when the loop would give other weights for the same settings."""


PRETRAINING_VERSION = 2
"""Part of every pre-training's hash: raise it when the same masks would give a regressor other weights."""


class PolynomialSchedule(Settings):
    """learning_rate · (1 − step / steps) ** exponent, at every step."""

    name: Literal["polynomial"] = "polynomial"
    exponent: PositiveFloat = 0.9


class PlateauSchedule(Settings):
    """learning_rate · factor after more than `patience` validations in a row without a better validation DC.

    It counts validations and watches the full-volume validation DC, never a loss value: losses have different scales.
    """

    name: Literal["plateau"] = "plateau"
    factor: Fraction = 0.8
    patience: PositiveInt = 30


Schedule = Annotated[PolynomialSchedule | PlateauSchedule, Field(discriminator="name")]


class TrainingSettings(Settings):
    """The budget that every method of a suite gets alike: always all steps, never an early stop."""

    steps: PositiveInt
    """Optimiser steps of every cell."""
    protocol: Literal["fixed", "paper", "code"] = "fixed"
    """`fixed`: polynomial decay. `paper`: plateau × 0.8 as in Li et al. 2021. Both from scratch. `code`: as `paper`,
    but what has a pre-trained regressor starts from the baseline's best weights at 1e-5, as in the authors' scripts."""
    learning_rate: PositiveFloat = 1e-3
    """Adam's learning rate at step 0."""
    schedule: Schedule | None = None
    """Decay of the learning rate; by default the protocol's."""
    validate_every: PositiveInt = 100
    """Steps between full-volume validations, for all methods alike; the last step is always validated."""
    checkpoint_every: PositiveInt = 50
    """Steps between checkpoints; changes no number."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """`bf16` runs the network under autocast; losses are computed in float32 either way."""
    threads_per_cell: PositiveInt = 1
    """CPU threads of one cell; two cells of one thread each beat one of two threads on two cores."""
    memory_format: Literal["channels_last", "contiguous"] = "channels_last"
    compile: bool = False
    """Compile training steps with torch.compile: backbone and region losses; inference stays as it is."""

    @property
    def decay(self) -> PolynomialSchedule | PlateauSchedule:
        """The schedule in force."""
        if self.schedule is not None:
            return self.schedule
        return PolynomialSchedule() if self.protocol == "fixed" else PlateauSchedule()

    def validation_steps(self) -> tuple[int, ...]:
        """The steps after which all methods are validated."""
        return tuple(sorted({*range(self.validate_every, self.steps + 1, self.validate_every), self.steps}))
