"""Weighted sum of losses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

import losses
from losses.base import Loss
from losses.domains import number, whole
from losses.errors import LossError
from losses.specification import split
from losses.statistics import Statistics


@dataclass(frozen=True)
class Schedule:
    """A weight that goes in a straight line from `start` at step 0 to `stop` at step `steps`, and stays there."""

    start: float
    stop: float
    steps: int

    def at(self, step: Tensor) -> Tensor:
        """The weight () at a step (), in float64."""
        return self.start + (self.stop - self.start) * (step.double() / self.steps).clamp(0, 1)


@losses.register("sum")
class Sum(Loss):
    """Weighted sum of losses: `{name: sum, terms: [{name: dice}, {name: cross_entropy, weight: 0.5}]}`.

    L = Σ_k weight_k · L_k

    terms  one or more losses as {name, parameters}, each with an optional `weight` ≥ 0 (default 1), not all 0.
           A weight may follow a schedule, {start, stop, steps}: a straight line from `start` at step 0 to `stop` at
           step `steps`, constant from there on. The step is the optimiser step, by the reserved map `step`.
           Where the loss has a parameter `weight` itself, a word or a list under `weight` is the loss's, and numbers
           and schedules are the term's: {name: weighted_cross_entropy, weight: inverse} is a term of weight 1. For
           both at once put the term into a sum of its own, which then has the other weight.
    Range, value at a perfect mask and at an empty target follow from the terms. Maps and statistics go to every term.

    The boundary loss as its authors add it – .01 more each epoch, here of 250 steps, while the region loss goes down:

        {name: sum, terms: [{name: generalized_dice, weight: {start: 1.0, stop: 0.1, steps: 22500}},
                            {name: boundary, weight: {start: 0.01, stop: 0.91, steps: 22500}}]}

    A step of training is the same for every method, so a schedule never depends on a loss value.

    Raises `LossError` that names the term (counted from 0) whose loss, parameter, weight or schedule is wrong.

    Source of the schedule: Kervadec et al. 2019 (arXiv 1812.07032). Deviation: it changes every step, not every epoch.
    """

    example: ClassVar[Mapping[str, Any]] = {"terms": ({"name": "dice"}, {"name": "cross_entropy", "weight": 0.5})}

    def __init__(self, *, terms: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()
        parts = [_split(index, term) for index, term in enumerate(_checked(terms))]
        self.weights = tuple(weight for _, weight in parts)
        if not any(_ever_counts(weight) for weight in self.weights):
            raise LossError("sum: every weight is 0, so there is nothing to minimise")
        made = []
        for index, (specification, _) in enumerate(parts):
            with _naming(index):
                made.append(losses.create(**specification))
        self.terms = tuple(made)
        self.modules_of_terms = nn.ModuleList(made)  # so that their buffers follow to other devices
        scheduled = any(isinstance(weight, Schedule) for weight in self.weights)
        keys = [*(key for loss in made for key in loss.required_maps), *(["step"] if scheduled else [])]
        self.required_maps = tuple(dict.fromkeys(keys))

    @classmethod
    def resolve_parameters(cls, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Fill in the defaults of every term, its weight included."""
        terms = []
        for index, term in enumerate(_checked(parameters["terms"])):
            specification, weight = _split(index, term)
            with _naming(index):
                terms.append(_joined(losses.resolve(specification), weight))
        return {"terms": terms}

    def prepare(self, statistics: Statistics) -> None:
        for loss in self.terms:
            loss.prepare(statistics)

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        values = [loss(logits, labels, maps, voxel_weight=voxel_weight) for loss in self.terms]
        weights = [weight.at(maps["step"]) if isinstance(weight, Schedule) else weight for weight in self.weights]
        weighted = [(weight * value).to(value.dtype) for weight, value in zip(weights, values, strict=True)]
        return torch.stack(weighted).sum()


def _checked(terms: Any) -> Sequence[Any]:
    if not isinstance(terms, Sequence) or isinstance(terms, str) or not terms:
        raise LossError(f"sum: terms must be a list of one or more losses such as [{{name: dice}}], got {terms!r}")
    return terms


def _split(index: int, term: Any) -> tuple[dict[str, Any], float | Schedule]:
    """Return the loss of a term and its weight."""
    with _naming(index):
        name, parameters = split(term)
        if _is_of_the_loss(name, parameters.get("weight")):
            return {"name": name, **parameters}, 1.0
    weight = _weight(f"sum: terms[{index}]", parameters.pop("weight", 1.0))
    return {"name": name, **parameters}, weight


def _joined(resolved: dict[str, Any], weight: float | Schedule) -> dict[str, Any]:
    """A term as `_split` takes it apart; one with two weights becomes a sum of its own."""
    if "weight" in resolved:
        if weight == 1:
            return resolved
        resolved = {"name": "sum", "terms": [resolved]}
    return {**resolved, "weight": asdict(weight) if isinstance(weight, Schedule) else weight}


def _is_of_the_loss(name: str, weight: object) -> bool:
    """Whether what stands under `weight` is a parameter of the term's loss."""
    chosen = isinstance(weight, str | Sequence)
    return chosen and "weight" in losses.describe(name).parameters


def _weight(term: str, given: Any) -> float | Schedule:
    if not isinstance(given, Mapping):
        return number(term, "weight", given, at_least=0)
    if set(given) != {"start", "stop", "steps"}:
        raise LossError(f"{term}: weight must be a number or a schedule {{start, stop, steps}}, got {dict(given)!r}")
    start, stop = (number(term, f"weight.{key}", given[key], at_least=0) for key in ("start", "stop"))
    return Schedule(start, stop, whole(term, "weight.steps", given["steps"], at_least=1))


def _ever_counts(weight: float | Schedule) -> bool:
    return weight.start + weight.stop > 0 if isinstance(weight, Schedule) else weight > 0


@contextmanager
def _naming(index: int) -> Iterator[None]:
    """Say in every error which term it is about."""
    try:
        yield
    except LossError as error:
        raise LossError(f"sum: terms[{index}]: {error}") from error
