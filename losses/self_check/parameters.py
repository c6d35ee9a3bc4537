"""Probe: does every parameter do something?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import losses
from losses.errors import LossError
from losses.self_check.battery import Answers, affine, answers, describe_inputs
from losses.self_check.finding import Finding
from losses.self_check.subject import Subject


def probe(subject: Subject) -> Finding:
    """Change each number and flag, and swap each pair of different numbers: which changes leave the battery as it was?

    A pair whose swap changes nothing enters by its sum alone, as a split between false positives and false negatives
    does where both channels of a softmax are pooled.
    """
    resolved = losses.resolve({"name": subject.name, **subject.given})
    values = {key: value for key, value in resolved.items() if key != "name" and isinstance(value, bool | int | float)}
    own = answers(subject.loss)
    dead, tried = [], []
    swaps = []
    if own is not None:
        for key, value in values.items():
            changes = [made for other in _others(value) if (made := _answers(subject, {key: other})) is not None]
            if changes:
                tried.append(key)
            if changes and all(_same(own, change) for change in changes):
                dead.append(key)
        for one, other in _pairs(values):
            swapped = _answers(subject, {one: values[other], other: values[one]})
            if swapped is not None and not {one, other} & set(dead) and _same(own, swapped):
                swaps.append([one, other])
    says = [f"On the battery {key} = {values[key]} makes no difference." for key in dead]
    says += [f"Swapping {one} and {other} changes nothing: the loss ignores how they differ." for one, other in swaps]
    everything = f"Each of {', '.join(tried)} changes the loss." if tried else "There is no number or flag to change."
    return Finding(
        probe="parameters",
        ran=f"each number doubled, halved and increased by 1, each flag turned, each pair of numbers swapped, on the "
        f"{describe_inputs()['inputs']} batches of the battery",
        outcome="look" if says else "ok",
        says=tuple(says) or (everything,),
        data={"tried": tried, "without_effect": dead, "swaps_without_effect": swaps},
    )


def _others(value: float) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value * 2, value + 1)
    else:
        yield from (value * 2, value / 2, value + 1)


def _pairs(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    numbers = [key for key, value in values.items() if isinstance(value, float)]
    yield from ((one, other) for one, other in combinations(numbers, 2) if values[one] != values[other])


def _answers(subject: Subject, changes: Mapping[str, Any]) -> Answers | None:
    """The answers with these parameters changed; None where the loss refuses them."""
    try:
        return answers(subject.make({**subject.given, **changes}))
    except LossError:
        return None


def _same(one: Answers, other: Answers) -> bool:
    relation = affine(one, other)
    return relation is not None and abs(relation[0] - 1) < 1e-5 and abs(relation[1]) < 1e-5 * max(one.spread(), 1e-12)
