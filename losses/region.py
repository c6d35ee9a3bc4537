"""Region losses: scalar algebra over soft counts. One file decides what empty classes and empty samples give."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from losses.base import Loss
from losses.domains import flag, number
from losses.soft_counts import SoftCounts, soft_counts

POWER_FLOOR = 1e-6


class RegionLoss(Loss):
    """A loss per sample and class, computed from that class's soft counts, then the mean over both.

    include_background  whether class 0 is a class of the mean.
    batch               add the counts of all samples first: one pseudo-sample per batch.
    squared             Σp² and Σg² in place of Σp and Σg.

    Empty policy, one for all region losses:
      - A class that is absent from the target stays in the mean; `smooth` decides what its false positives cost.
      - 0/0 (only without `smooth`: nothing predicted, nothing wanted) is a perfect score, with zero gradient.
      - A sample without weight (every label −1, or every voxel weight 0) is not a sample: it leaves the mean.
        If no sample is left the loss is 0 with zero gradient.
    """

    def __init__(self, *, include_background: bool, batch: bool, squared: bool = False) -> None:
        super().__init__()
        self.include_background = flag(self.name, "include_background", include_background)
        self.batch = flag(self.name, "batch", batch)
        self.squared = flag(self.name, "squared", squared)

    def target_map(self, maps: Mapping[str, Tensor]) -> Tensor | None:
        """Return the map (B, C-1, *S) that takes the place of the foreground's one-hot labels, or None for these."""
        return None

    def per_class(self, counts: SoftCounts) -> Tensor:
        """Return the loss (B, K) of the counts (B, K); (B, 1) where classes are combined within a sample."""
        raise NotImplementedError(f"{type(self).__qualname__} defines no per_class()")

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        counts = soft_counts(
            logits,
            labels,
            include_background=self.include_background,
            squared=self.squared,
            voxel_weight=voxel_weight,
            target_map=self.target_map(maps),
        )
        return self.reduce(counts)

    def reduce(self, counts: SoftCounts) -> Tensor:
        """Pool the samples where `batch` says so, apply `per_class`, average over samples with weight and classes."""
        if self.batch:
            counts = SoftCounts(*(count.sum(0, keepdim=True) for count in counts))
        present = (counts.total > 0).to(counts.total.dtype)
        per_sample = self.per_class(counts).mean(1)
        return torch.dot(per_sample, present) / present.sum().clamp(min=1)


def smoothing(loss: str, value: float) -> float:
    """Return `smooth` if it is a number ≥ 0."""
    return number(loss, "smooth", value, at_least=0)


def ratio(numerator: Tensor, denominator: Tensor, smooth: float) -> Tensor:
    """(numerator + smooth) / (denominator + smooth); 0/0 is 1 with zero gradient."""
    if smooth > 0:
        return (numerator + smooth) / (denominator + smooth)
    empty = denominator == 0
    return torch.where(empty, torch.ones_like(numerator), numerator / torch.where(empty, 1, denominator))


def bounded_power(x: Tensor, exponent: float) -> Tensor:
    """x^exponent for x ≥ 0; below 1e-6 an exponent < 1 is replaced by the chord from 0, so that slopes stay finite.

    Rounding below 0 counts as 0. The slope of x^0.3 at 0 is infinite; here it is at most 1e-6^(exponent − 1).
    """
    x = x.clamp(min=0)
    if exponent >= 1:
        return x.pow(exponent)
    return torch.where(x < POWER_FLOOR, x * POWER_FLOOR ** (exponent - 1), x.clamp(min=POWER_FLOOR).pow(exponent))
