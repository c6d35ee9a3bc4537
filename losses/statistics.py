"""What a loss may know of the training set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losses.errors import LossError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Statistics:
    """Class frequencies of the preprocessed training volumes, background first; voxels labelled −1 do not count.

    Raises `LossError` unless there are at least two finite frequencies ≥ 0 that add up to 1.
    """

    class_frequencies: tuple[float, ...]

    def __post_init__(self) -> None:
        given = self.class_frequencies
        valid = len(given) >= 2 and all(math.isfinite(f) and f >= 0 for f in given)
        if not valid or not math.isclose(sum(given), 1.0, abs_tol=1e-6):
            raise LossError(f"class_frequencies: expected two or more numbers >= 0 that add up to 1, got {given!r}")

    def inverse_frequencies(self, loss: str, *, power: float) -> tuple[float, ...]:
        """Return (1 / f_c)^power of every class, background first.

        Raises `LossError` for a class that never occurs: its weight would be infinite, and a training set without one
        of its classes is a mistake.
        """
        absent = [str(c) for c, frequency in enumerate(self.class_frequencies) if frequency == 0]
        if absent:
            raise LossError(
                f"{loss}: class {', '.join(absent)} has no voxel in the training set, so its inverse frequency is "
                f"infinite (frequencies {self.class_frequencies}); check the split and the target, or give the weights"
            )
        return tuple((1 / frequency) ** power for frequency in self.class_frequencies)


def class_weights(loss: str, weights: tuple[float, ...] | None, logits: Tensor) -> Tensor:
    """Return one weight per class (C,), in the precision in which a loss of these logits is computed.

    Raises `LossError` where the weights are not known yet or are not those of so many classes.
    """
    import torch

    from losses.labels import precision

    if weights is None:
        raise LossError(f"{loss}: needs the class frequencies: call prepare(losses.Statistics(frequencies)) first")
    if len(weights) != logits.shape[1]:
        raise LossError(
            f"{loss}: {len(weights)} class weights for logits of {logits.shape[1]} classes, shape "
            f"{tuple(logits.shape)}; give one per class, background first"
        )
    return torch.tensor(weights, dtype=precision(logits), device=logits.device)
