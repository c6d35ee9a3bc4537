"""Weighted sum of losses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

import losses
from losses.base import Loss
from losses.domains import number
from losses.errors import LossError
from losses.specification import split
from losses.statistics import Statistics


@losses.register("sum")
class Sum(Loss):
    """Weighted sum of losses: `{name: sum, terms: [{name: dice}, {name: cross_entropy, weight: 0.5}]}`.

    L = Σ_k weight_k · L_k

    terms  one or more losses as {name, parameters}, each with an optional `weight` ≥ 0 (default 1), not all 0.
    Range, value at a perfect mask and at an empty target follow from the terms. Maps and statistics go to every term.

    Raises `LossError` that names the term (counted from 0) whose loss, parameter or weight is wrong.
    """

    example: ClassVar[Mapping[str, Any]] = {"terms": ({"name": "dice"}, {"name": "cross_entropy", "weight": 0.5})}

    def __init__(self, *, terms: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()
        parts = [_split(index, term) for index, term in enumerate(_checked(terms))]
        self.weights = tuple(weight for _, weight in parts)
        if sum(self.weights) == 0:
            raise LossError("sum: every weight is 0, so there is nothing to minimise")
        made = []
        for index, (specification, _) in enumerate(parts):
            with _naming(index):
                made.append(losses.create(**specification))
        self.terms = tuple(made)
        self.modules_of_terms = nn.ModuleList(made)  # so that their buffers follow to other devices
        self.required_maps = tuple(dict.fromkeys(key for loss in made for key in loss.required_maps))

    @classmethod
    def resolve_parameters(cls, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Fill in the defaults of every term, its weight included."""
        terms = []
        for index, term in enumerate(_checked(parameters["terms"])):
            specification, weight = _split(index, term)
            with _naming(index):
                terms.append({**losses.resolve(specification), "weight": weight})
        return {"terms": terms}

    def prepare(self, statistics: Statistics) -> None:
        for loss in self.terms:
            loss.prepare(statistics)

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        values = [loss(logits, labels, maps, voxel_weight=voxel_weight) for loss in self.terms]
        return torch.stack([weight * value for weight, value in zip(self.weights, values, strict=True)]).sum()


def _checked(terms: Any) -> Sequence[Any]:
    if not isinstance(terms, Sequence) or isinstance(terms, str) or not terms:
        raise LossError(f"sum: terms must be a list of one or more losses such as [{{name: dice}}], got {terms!r}")
    return terms


def _split(index: int, term: Any) -> tuple[dict[str, Any], float]:
    """Return the loss of a term and its weight."""
    with _naming(index):
        name, parameters = split(term)
    weight = number(f"sum: terms[{index}]", "weight", parameters.pop("weight", 1.0), at_least=0)
    return {"name": name, **parameters}, weight


@contextmanager
def _naming(index: int) -> Iterator[None]:
    """Say in every error which term it is about."""
    try:
        yield
    except LossError as error:
        raise LossError(f"sum: terms[{index}]: {error}") from error
