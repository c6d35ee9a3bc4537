"""Comparisons of speed: all contenders in turns in one process, repeated when something else was running."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from bench.cost.load import LoadWatch
from bench.cost.turns import take_turns
from bench.results.costs import QUIET_CPUS, LoadRecord, median_ratio, spread

ROUNDS = 30
ATTEMPTS = 3
WARM_UP = 2
WHOLE_SHARE = 0.95
"""Of the wall time that a contender must have computed; the rest it was waiting for a CPU."""


@dataclass(frozen=True)
class Comparison:
    """Seconds of every contender in every round, and how quiet the machine was."""

    seconds: Mapping[str, list[float]]
    load: LoadRecord
    attempt: int

    @property
    def quiet(self) -> bool:
        """Whether nothing else was running; the load average is not asked, as it remembers earlier attempts."""
        share, others = self.load.cpu_share, self.load.other_cpus
        return (share is None or share >= WHOLE_SHARE) and (others is None or others <= QUIET_CPUS)

    def ratio(self, name: str, to: str) -> float:
        """Median over the rounds of a contender's time over another's."""
        return median_ratio(self.seconds[name], self.seconds[to])

    def to_json(self) -> dict[str, Any]:
        """Medians, quartiles, and ratios to the first contender."""
        first = next(iter(self.seconds))
        contenders = {}
        for name, seconds in self.seconds.items():
            low, middle, high = spread(seconds)
            contenders[name] = {
                "median_seconds": middle,
                "quartile_seconds": [low, high],
                "median_ratio_to_" + first: self.ratio(name, first),
            }
        n = len(self.seconds[first])
        load = self.load.model_dump(mode="json")
        return {"contenders": contenders, "n": n, "quiet": self.quiet, "attempt": self.attempt, "load": load}


def compare(
    contenders: Mapping[str, Callable[[], object]],
    *,
    rounds: int = ROUNDS,
    warm_up: int = WARM_UP,
    attempts: int = ATTEMPTS,
) -> Comparison:
    """Time contenders on the CPU; the first quiet attempt counts, else the last one, which says that it was not."""
    for attempt in range(1, attempts + 1):
        watch = LoadWatch()
        seconds = take_turns(contenders, rounds, warm_up=warm_up)
        comparison = Comparison(seconds, watch.record(torch.device("cpu")), attempt)
        if comparison.quiet:
            break
    return comparison
