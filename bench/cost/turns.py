"""Timing that compares: everybody takes one turn per round, in an order that rotates."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def take_turns(
    contenders: Mapping[str, Callable[[], object]],
    rounds: int,
    *,
    warm_up: int,
    settle: Callable[[], None] = lambda: None,
) -> dict[str, list[float]]:
    """Seconds of every contender in every round; what slows the machine down for a while slows all of them alike.

    Round r begins with contender r mod n, so that nobody always follows the same one after a fresh start.

    Args:
        warm_up: rounds before that are not timed.
        settle: waits until the device has done everything; called before and after every turn.
    """
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-warm_up, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            settle()
            started = time.perf_counter()
            contenders[name]()
            settle()
            if number >= 0:
                seconds[name].append(time.perf_counter() - started)
    return seconds
