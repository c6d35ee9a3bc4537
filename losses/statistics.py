"""What a loss may know of the training set."""

from __future__ import annotations

import math
from dataclasses import dataclass

from losses.errors import LossError


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
