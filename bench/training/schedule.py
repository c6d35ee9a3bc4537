"""The learning rate as a pure function of the step and the validations so far; a resume needs no state for it."""

from __future__ import annotations

from collections.abc import Sequence

from bench.training.settings import PlateauSchedule, TrainingSettings


def learning_rate(settings: TrainingSettings, step: int, validation_dice: Sequence[float]) -> float:
    """Learning rate of the step with this index (from 0), given the mean validation DC of all validations before it."""
    decay = settings.decay
    if isinstance(decay, PlateauSchedule):
        return settings.learning_rate * decay.factor ** _reductions(validation_dice, decay.patience)
    return float(settings.learning_rate * (1 - step / settings.steps) ** decay.exponent)


def _reductions(validation_dice: Sequence[float], patience: int) -> int:
    """How often more than `patience` validations in a row brought no better value; the count restarts at each."""
    best, waited, reductions = float("-inf"), 0, 0
    for value in validation_dice:
        if value > best:
            best, waited = value, 0
        else:
            waited += 1
        if waited > patience:
            waited, reductions = 0, reductions + 1
    return reductions
