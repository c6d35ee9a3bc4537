"""Losses of known character: right ones, and some that are wrong in one way each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

import losses
from losses.base import Loss
from losses.self_check.subject import Subject


class Pooled(Loss):
    """Tversky in the manner of MONAI's defaults: both channels of the softmax in one ratio, background included."""

    def __init__(self, *, fp_weight: float = 0.3, fn_weight: float = 0.7) -> None:
        super().__init__()
        self.fp_weight, self.fn_weight = fp_weight, fn_weight

    def compute(self, logits, labels, maps, voxel_weight):
        p = logits.softmax(1)
        g = torch.stack([labels == 0, labels == 1], 1).to(p.dtype)
        right, false, missed = (p * g).sum(), (p * (1 - g)).sum(), ((1 - p) * g).sum()
        return 1 - right / (right + self.fp_weight * false + self.fn_weight * missed)


class WrongGradient(Loss):
    """Cross entropy whose backward is half of what it should be."""

    def compute(self, logits, labels, maps, voxel_weight):
        half = 0.5 * logits + 0.5 * logits.detach()
        return torch.nn.functional.cross_entropy(half, labels.long(), ignore_index=-1)


class Overflows(Loss):
    """Cross entropy with the exponential taken before the logarithm."""

    def compute(self, logits, labels, maps, voxel_weight):
        p = logits.exp() / logits.exp().sum(1, keepdim=True)
        return -p.gather(1, labels.long()[:, None]).log().mean()


class TwiceDice(Loss):
    """Dice, doubled and lifted by one."""

    def compute(self, logits, labels, maps, voxel_weight):
        return 2 * losses.create("dice")(logits, labels) + 1


class Raises(Loss):
    """A plug-in with a mistake."""

    def compute(self, logits, labels, maps, voxel_weight):
        raise IndexError("no such channel")


@pytest.fixture
def plugin() -> Iterator[Callable[[type[Loss]], str]]:
    """Register a class for one test; returns the name that it got."""
    made: list[str] = []

    def register(kind: type[Loss]) -> str:
        name = f"plugin_{kind.__name__.lower()}"
        losses.register(name)(kind)
        made.append(name)
        return name

    yield register
    for name in made:
        losses.LOSSES.withdraw(name)


@pytest.fixture
def subject() -> Callable[..., Subject]:
    def make(name: str, **parameters: object) -> Subject:
        return Subject(name, parameters)

    return make


@pytest.fixture
def kinds() -> dict[str, type[Loss]]:
    """The losses of this file, by name."""
    return {kind.__name__: kind for kind in (Pooled, WrongGradient, Overflows, TwiceDice, Raises)}
