"""Voxel losses: a cost per voxel, a function of its cross entropy, averaged over the voxels that are not ignored.

Two primitives with hand-written derivatives, neither of which makes a one-hot tensor:

    voxel_sum(logits, labels, cost)      Σ_i w_i·cost(x_i), the gradient made in the forward pass
    cross_entropies(logits, labels)      x_i = −ln p_true at every voxel, for losses that look at voxels one by one

The foreground of two classes needs one difference of logits n = ±(l1 − l0): x = softplus(n), 1 − p_true = sigmoid(n).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from losses.base import Loss
from losses.labels import class_voxels, compact, dot, equals, may_hold_ignored, precision, valid, voxels

__all__ = ["VoxelLoss", "class_voxels", "cross_entropies", "equals", "mean_over", "valid", "voxel_sum", "voxels"]

# (x = −ln p_true ≥ 0, rest = 1 − p_true) -> (cost, slope ∂cost/∂x). It may write to x, not to rest.
Cost = Callable[[Tensor, Tensor], tuple[Tensor, Tensor | float]]


class VoxelLoss(Loss):
    """The mean of `cost` over all voxels of the batch that are not −1; over none it is 0 with zero gradient.

    Class and voxel weights multiply a voxel's cost, not the number of voxels: doubling every weight doubles the loss.
    """

    def cost(self, x: Tensor, rest: Tensor) -> tuple[Tensor, Tensor | float]:
        """Return cost and slope ∂cost/∂x, finite for every x ≥ 0, of x = −ln p_true and rest = 1 − p_true."""
        raise NotImplementedError(f"{type(self).__qualname__} defines no cost()")

    def class_weight(self, logits: Tensor) -> Tensor | None:
        """Return one weight per class (C,), or None for 1."""
        return None

    def compute(
        self, logits: Tensor, labels: Tensor, maps: Mapping[str, Tensor], voxel_weight: Tensor | None
    ) -> Tensor:
        del maps
        weight = self.class_weight(logits)
        summed = voxel_sum(logits, labels, self.cost, class_weight=weight, voxel_weight=voxel_weight)
        return summed / voxels(labels, summed).clamp(min=1)


def voxel_sum(
    logits: Tensor,
    labels: Tensor,
    cost: Cost,
    *,
    class_weight: Tensor | None = None,
    voxel_weight: Tensor | None = None,
) -> Tensor:
    """Return Σ over voxels of class_weight·voxel_weight·cost as () float32 (float64 for float64 logits).

    logits (B, C, *S) finite, labels (B, *S) with −1 = weight 0, class_weight (C,), voxel_weight (B, *S). Gradients
    flow to the logits only, once (no second derivative).
    """
    total: Tensor = _VoxelSum.apply(logits, labels, class_weight, voxel_weight, cost)  # type: ignore[no-untyped-call]
    return total


def cross_entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """Return x = −ln p_true (B, *S), 0 where the label is −1; float32 or float64; gradients flow once."""
    costs: Tensor = _CrossEntropies.apply(logits, labels)  # type: ignore[no-untyped-call]
    return costs


def plain(x: Tensor, rest: Tensor) -> tuple[Tensor, float]:
    """The cost of cross entropy: x itself, with slope 1."""
    del rest
    return x, 1.0


def mean_over(counted: Tensor, summed: Tensor) -> Tensor:
    """A sum over voxels divided by how many are valid, over the whole batch; a sum over none is 0 and stays 0.

    Voxel weights belong into the sum only: doubling every weight doubles the loss.
    """
    return summed / counted.sum().clamp(min=1)


class _VoxelSum(torch.autograd.Function):
    """One sample at a time; of two classes only the derivative by the foreground's logit is kept."""

    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, labels: Tensor, class_weight: Tensor | None, voxel_weight: Tensor | None, cost: Cost
    ) -> Tensor:
        kind = precision(logits)
        labels = compact(labels, logits.shape[1])
        slopes = _Slopes(logits, kind)
        class_weight = None if class_weight is None else class_weight.to(logits.device, kind)
        masked = may_hold_ignored(labels)
        sums = []
        for b in range(len(logits)):
            own = None if voxel_weight is None else voxel_weight[b].to(kind)
            x, rest = slopes.cross_entropy(b, logits[b], labels[b])
            weight = _weight(labels[b], class_weight, own, masked, x)
            value, slope = cost(x, rest)
            sums.append(value.sum() if weight is None else dot(value, weight))
            slopes.multiply(b, slope if weight is None else weight * slope, labels[b])
            del x, rest, weight, value, slope  # not beside those of the next sample
        ctx.save_for_backward(slopes.stored)
        ctx.dtype, ctx.layout = logits.dtype, torch.empty_like(logits, device="meta")
        return torch.stack(sums).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor | None, ...]:
        (stored,) = ctx.saved_tensors
        return _to_logits(ctx, stored, flow), None, None, None, None


class _CrossEntropies(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor) -> Tensor:
        kind = precision(logits)
        labels = compact(labels, logits.shape[1])
        slopes = _Slopes(logits, kind)
        costs = logits.new_empty(labels.shape, dtype=kind)
        for b in range(len(logits)):
            x, _ = slopes.cross_entropy(b, logits[b], labels[b])
            counted = valid(labels[b], x)
            torch.mul(x, counted, out=costs[b])
            slopes.multiply(b, counted, labels[b])
        ctx.save_for_backward(slopes.stored)
        ctx.dtype, ctx.layout = logits.dtype, torch.empty_like(logits, device="meta")
        return costs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor | None, ...]:
        (stored,) = ctx.saved_tensors
        return _to_logits(ctx, stored, flow if stored.ndim == flow.ndim else flow.unsqueeze(1)), None


class _Slopes:
    """∂/∂logits, sample by sample: (B, *S) by the foreground's logit for two classes, (B, C, *S) for more."""

    def __init__(self, logits: Tensor, kind: torch.dtype) -> None:
        batch, channels, *space = logits.shape
        self.two = channels == 2
        self.stored = logits.new_empty((batch, *space) if self.two else (batch, channels, *space), dtype=kind)
        self._sign = logits.new_empty(space, dtype=kind)

    def cross_entropy(self, b: int, logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return x = −ln p_true and rest = 1 − p_true of one sample, and begin its slopes."""
        if self.two:
            sign = self._sign.copy_(labels).mul_(-2).add_(1)  # 3 at −1, which has no weight
            n = torch.sub(logits[1].to(sign.dtype), logits[0].to(sign.dtype)).mul_(sign)
            rest = torch.sigmoid(n, out=self.stored[b])
            return F.softplus(n, threshold=40), rest
        logarithms = torch.log_softmax(logits, 0, dtype=self.stored.dtype)
        x = logarithms.gather(0, labels.long().clamp(min=0)[None])[0].neg_()
        torch.exp(logarithms, out=self.stored[b])
        return x, torch.expm1(-x).neg_()

    def multiply(self, b: int, slope: Tensor | float, labels: Tensor) -> None:
        """Complete the slopes of one sample: ∂x/∂l_c = p_c − [c is true], times `slope`."""
        stored = self.stored[b]
        if self.two:
            stored.mul_(self._sign)
        else:
            for c, by_class in enumerate(stored):
                by_class.sub_(torch.eq(labels, c, out=self._sign))
        if isinstance(slope, Tensor) or slope != 1:
            stored.mul_(slope)


def _to_logits(ctx: Any, stored: Tensor, flow: Tensor) -> Tensor:
    layout = ctx.layout
    gradient = torch.empty_strided(layout.shape, layout.stride(), dtype=ctx.dtype, device=stored.device)
    if layout.shape[1] == 2:
        torch.mul(stored, flow, out=gradient[:, 1])
        torch.neg(gradient[:, 1], out=gradient[:, 0])
        return gradient
    return torch.mul(stored, flow, out=gradient)


def _of_class(labels: Tensor, class_weight: Tensor, like: Tensor) -> Tensor:
    """The weight of every voxel's class; anything at −1."""
    if len(class_weight) == 2:
        return like.new_empty(labels.shape).copy_(labels).mul_(class_weight[1] - class_weight[0]).add_(class_weight[0])
    return class_weight.take(labels.long().clamp(min=0))


def _weight(
    labels: Tensor, class_weight: Tensor | None, voxel_weight: Tensor | None, masked: bool, like: Tensor
) -> Tensor | None:
    """The weight of every voxel of one sample, None where it is 1 everywhere; 0 at −1."""
    weight = voxel_weight
    if class_weight is not None:
        by_class = _of_class(labels, class_weight, like)
        weight = by_class if weight is None else by_class.mul_(weight)
    if not masked:
        return weight
    counted = valid(labels, like)
    return counted if weight is None else counted.mul_(weight)
