"""Soft counts and their derivative as two passes for `torch.compile`, which makes one loop of each.

The algebra of `losses.soft_counts`, written without buffers of its own. Nothing but the logits is kept between the
passes: the second computes the softmax again, which is cheaper than to store and read it. Classes are unbound, as a
softmax over the class axis would be a loop of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from losses.labels import precision

_IN_FORCE: ContextVar[bool] = ContextVar("compiled soft counts", default=False)


@contextmanager
def compiled_counts() -> Iterator[None]:
    """Let every `soft_counts` inside go through `torch.compile`."""
    token = _IN_FORCE.set(True)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


def are_compiled() -> bool:
    """Whether `compiled_counts` is in force here."""
    return _IN_FORCE.get()


class CompiledSoftCounts(torch.autograd.Function):
    """What `losses.soft_counts` computes, for the same arguments."""

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        labels: Tensor,
        weight: Tensor | None,
        target_map: Tensor | None,
        first: int,
        squared: bool,
    ) -> tuple[Tensor, ...]:
        flat = _flat(logits, labels, weight, target_map)
        ctx.save_for_backward(logits, labels, weight, target_map)
        ctx.first, ctx.squared = first, squared
        *per_class, total = _compiled(count)(*flat, first, squared)
        ctx.mark_non_differentiable(per_class[2], total)
        return (*per_class, total)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_overlap: Tensor, by_predicted: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        logits, labels, weight, target_map = ctx.saved_tensors
        flat = _flat(logits, labels, weight, target_map)
        gradient = _compiled(differentiate)(*flat, by_overlap, by_predicted, ctx.first, ctx.squared)
        return gradient.view(logits.shape), None, None, None, None, None


def count(
    logits: Tensor, labels: Tensor, weight: Tensor | None, target_map: Tensor | None, first: int, squared: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Overlap, predicted and target (B, K) and total (B,) of logits (B, C, N) and labels (B, N)."""
    kind = precision(logits)
    labels = labels.to(torch.int32)  # comparing 64 bits is slow
    probabilities = _softmax(logits)
    w = _weight(labels, weight, kind)
    overlap, predicted, wanted = [], [], []
    for c in range(first, logits.shape[1]):
        p, g = probabilities[c], _target(labels, target_map, c, kind)
        weighted_p, weighted_g = w * p, w * g
        overlap.append((weighted_p * g).sum(1))
        predicted.append((weighted_p * p if squared else weighted_p).sum(1))
        wanted.append((weighted_g * g if squared else weighted_g).sum(1))
    return torch.stack(overlap, 1), torch.stack(predicted, 1), torch.stack(wanted, 1), w.sum(1)


def differentiate(
    logits: Tensor,
    labels: Tensor,
    weight: Tensor | None,
    target_map: Tensor | None,
    by_overlap: Tensor,
    by_predicted: Tensor,
    first: int,
    squared: bool,
) -> Tensor:
    """∂L/∂logits (B, C, N) from ∂L/∂overlap and ∂L/∂predicted (B, K): p_c·(u_c − Σ_k p_k·u_k), u_c = ∂L/∂p_c."""
    kind = precision(logits)
    labels = labels.to(torch.int32)
    probabilities = _softmax(logits)
    w = _weight(labels, weight, kind)
    pull, mean = {}, torch.zeros_like(w)
    for c in range(first, logits.shape[1]):
        slope = by_predicted[:, c - first, None]
        slope = 2 * slope * probabilities[c] if squared else slope
        pull[c] = w * (slope + by_overlap[:, c - first, None] * _target(labels, target_map, c, kind))
        mean = mean + probabilities[c] * pull[c]
    by_class = [p * (pull[c] - mean) if c in pull else -p * mean for c, p in enumerate(probabilities)]
    return torch.stack(by_class, 1).to(logits.dtype)


def _softmax(logits: Tensor) -> list[Tensor]:
    """The probability (B, N) of every class; of two classes by one sigmoid."""
    each = [one.to(precision(logits)) for one in logits.unbind(1)]
    if len(each) == 2:
        p = torch.sigmoid(each[1] - each[0])
        return [1 - p, p]
    highest = each[0]
    for one in each[1:]:
        highest = torch.maximum(highest, one)
    powers = [torch.exp(one - highest) for one in each]
    total = powers[0]
    for one in powers[1:]:
        total = total + one
    inverse = 1 / total
    return [power * inverse for power in powers]


def _weight(labels: Tensor, weight: Tensor | None, kind: torch.dtype) -> Tensor:
    counted = (labels >= 0).to(kind)
    return counted if weight is None else counted * weight.to(kind)


def _target(labels: Tensor, target_map: Tensor | None, c: int, kind: torch.dtype) -> Tensor:
    return (labels == c).to(kind) if target_map is None else target_map[:, c - 1].to(kind)


def _flat(
    logits: Tensor, labels: Tensor, weight: Tensor | None, target_map: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """All voxels of a sample on one axis, so that 2D and 3D share what was compiled."""
    return (
        logits.flatten(2),
        labels.flatten(1),
        None if weight is None else weight.flatten(1),
        None if target_map is None else target_map.flatten(2),
    )


@cache
def _compiled(function: Any) -> Any:
    return torch.compile(function)
