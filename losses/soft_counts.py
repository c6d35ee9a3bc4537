"""The one primitive behind every region loss: per sample and class, how much was predicted, wanted and shared.

    overlap Σ w·p·g      predicted Σ w·p  (Σ w·p² when squared)      target Σ w·g  (Σ w·g² when squared)

p = softmax of the logits, g = 1 where the label is the class (or a target map), w = voxel weight, 0 where the label
is −1. No one-hot tensor is made: classes are compared one at a time into one buffer, and the foreground of two
classes needs one sigmoid(l1 − l0). The backward pass is written by hand: with a = ∂L/∂predicted and b = ∂L/∂overlap,
∂L/∂p = w·(a + b·g).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class SoftCounts(NamedTuple):
    """Sums over the voxels of a sample, for K classes: the foreground, or all with the background first."""

    overlap: Tensor  # (B, K)
    predicted: Tensor  # (B, K)
    target: Tensor  # (B, K)
    total: Tensor  # (B,) Σ w over the voxels that are not ignored


def soft_counts(
    logits: Tensor,
    labels: Tensor,
    *,
    include_background: bool = False,
    squared: bool = False,
    voxel_weight: Tensor | None = None,
    target_map: Tensor | None = None,
) -> SoftCounts:
    """Count softly; gradients flow from `overlap` and `predicted` to the logits, once (no second derivative).

    logits (B, C, *S) finite, labels (B, *S) with −1 ignored, voxel_weight (B, *S), target_map (B, C-1, *S) in place
    of the foreground's one-hot labels. Sums are float32, float64 for float64 logits; an all-ignored sample gives
    zeros. Raises `ValueError` for a target map with the background included: a map says nothing about it.
    """
    if target_map is not None and include_background:
        raise ValueError("soft_counts: a target map has no background channel; leave include_background false")
    first = 0 if include_background else 1
    counts: tuple[Tensor, ...] = _SoftCounts.apply(logits, labels, voxel_weight, target_map, first, squared)  # type: ignore[no-untyped-call]
    return SoftCounts(*counts)


class _SoftCounts(torch.autograd.Function):
    """One sample at a time keeps the working set in the cache; coefficients stay tensors, so no device is stalled."""

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
        batch, channels, *space = logits.shape
        kind = torch.float64 if logits.dtype == torch.float64 else torch.float32
        weight = None if weight is None else weight.to(kind)
        probability = logits.new_empty((batch, _stored(channels, first), *space), dtype=kind)
        target, valid = logits.new_empty((2, *space), dtype=kind)
        masked = _may_hold_ignored(labels)
        sums = []
        for b in range(batch):
            p = _normalise(logits[b], probability[b])
            w = None if weight is None else weight[b]
            if masked:
                # A probability of 0 leaves every sum and, being a factor of the softmax's derivative, the gradient.
                p.mul_(torch.ge(labels[b], 0, out=valid))
            for c in range(first, channels):
                g = _target(labels[b], c, target_map if target_map is None else target_map[b], target)
                if masked and target_map is not None:
                    g.mul_(valid)
                sums += _sums(p[c - channels], g, w, squared)
            sums.append(_total(valid if masked else None, w, target))
        ctx.save_for_backward(probability, labels, weight, target_map)
        ctx.first, ctx.squared, ctx.dtype = first, squared, logits.dtype
        ctx.layout = torch.empty_like(logits, device="meta")
        table = torch.stack(sums).view(batch, -1)
        per_class = table[:, :-1].reshape(batch, channels - first, 3)
        overlap, predicted, wanted = (per_class[..., i].contiguous() for i in range(3))
        total = table[:, -1].contiguous()
        ctx.mark_non_differentiable(wanted, total)
        return overlap, predicted, wanted, total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_overlap: Tensor, by_predicted: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        probability, labels, weight, target_map = ctx.saved_tensors
        shape, stride = ctx.layout.shape, ctx.layout.stride()
        gradient = torch.empty_strided(shape, stride, dtype=ctx.dtype, device=probability.device)
        channels = shape[1]
        pull = torch.empty_like(probability[0, 0])  # ∂L/∂p of one class
        for b in range(shape[0]):
            flows = []
            for c in range(ctx.first, channels):
                p = probability[b, c - channels]
                _target(labels[b], c, target_map if target_map is None else target_map[b], pull)
                a, overlap_weight = by_predicted[b, c - ctx.first], by_overlap[b, c - ctx.first]
                pull.mul_(overlap_weight)
                pull = pull.addcmul_(p, 2 * a) if ctx.squared else pull.add_(a)
                if weight is not None:
                    pull.mul_(weight[b])
                flows.append(pull.mul_(p) if probability.shape[1] == 1 else pull * p)
            if probability.shape[1] == 1:
                torch.addcmul(pull, pull, probability[b, 0], value=-1, out=gradient[b, 1])
                torch.neg(gradient[b, 1], out=gradient[b, 0])
            else:
                _through_softmax(flows, probability[b], gradient[b])
        return gradient, None, None, None, None, None


def _stored(channels: int, first: int) -> int:
    """Channels of probability to keep: the foreground's alone where two classes leave the background out."""
    return 1 if channels == 2 and first == 1 else channels


def _normalise(logits: Tensor, out: Tensor) -> Tensor:
    """Softmax of one sample's logits (C, *S) into `out`, in its precision."""
    if out.shape[0] == 1:
        torch.sub(logits[1].to(out.dtype), logits[0].to(out.dtype), out=out[0])
        return out.sigmoid_()
    return torch.softmax(logits, 0, dtype=out.dtype, out=out)


def _target(labels: Tensor, label: int, target_map: Tensor | None, out: Tensor) -> Tensor:
    """What the class should be at each voxel of one sample, into `out`; floats, because boolean masks are slower."""
    return torch.eq(labels, label, out=out) if target_map is None else out.copy_(target_map[label - 1])


def _sums(p: Tensor, g: Tensor, weight: Tensor | None, squared: bool) -> list[Tensor]:
    weighted_p, weighted_g = (p, g) if weight is None else (p * weight, g * weight)
    predicted = _dot(weighted_p, p) if squared else weighted_p.sum()
    wanted = _dot(weighted_g, g) if squared else weighted_g.sum()
    return [_dot(weighted_p, g), predicted, wanted]


def _total(valid: Tensor | None, weight: Tensor | None, like: Tensor) -> Tensor:
    if valid is None:
        return like.new_tensor(float(like.numel())) if weight is None else weight.sum()
    return valid.sum() if weight is None else _dot(valid, weight.contiguous())


def _dot(one: Tensor, other: Tensor) -> Tensor:
    return torch.dot(one.reshape(-1), other.reshape(-1))


def _through_softmax(flows: list[Tensor], p: Tensor, gradient: Tensor) -> None:
    """∂L/∂logit_c = p_c·(u_c − Σ_k p_k·u_k), with flows p_k·u_k of the last classes (those left out have u = 0)."""
    mean = torch.stack(flows).sum(0) if len(flows) > 1 else flows[0]
    skipped = p.shape[0] - len(flows)
    for c in range(p.shape[0]):
        if c < skipped:
            torch.mul(p[c], -mean, out=gradient[c])
        else:
            torch.addcmul(flows[c - skipped], p[c], mean, value=-1, out=gradient[c])


def _may_hold_ignored(labels: Tensor) -> bool:
    """Whether to look for −1. A device would be stalled by the question, so there the answer is always yes."""
    return bool(labels.min() < 0) if labels.is_cpu else True
