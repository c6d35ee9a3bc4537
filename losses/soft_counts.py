"""The one primitive behind every region loss: per sample and class, how much was predicted, wanted and shared.

    overlap Σ w·p·g      predicted Σ w·p  (Σ w·p² when squared)      target Σ w·g  (Σ w·g² when squared)

p = softmax of the logits, g = 1 where the label is the class (or a target map), w = voxel weight, 0 where the label
is −1. No one-hot tensor is made: classes are compared one at a time into one buffer, and two classes need one
sigmoid(l1 − l0), whose rest is the background. The backward pass is written by hand and works in the gradient's own
memory: with a = ∂L/∂predicted and b = ∂L/∂overlap, ∂L/∂p = w·(a + b·g). Two classes keep no probabilities for it: the
sigmoid is computed again, which costs a tenth of the time and saves a third of the memory.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from losses.compiled_counts import CompiledSoftCounts, are_compiled
from losses.labels import compact, dot, may_hold_ignored, precision


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
    primitive = CompiledSoftCounts if are_compiled() else _SoftCounts
    counts: tuple[Tensor, ...] = primitive.apply(logits, labels, voxel_weight, target_map, first, squared)  # type: ignore[no-untyped-call]
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
        kind = precision(logits)
        labels = compact(labels, channels)
        weight = None if weight is None else weight.to(kind)
        two = channels == 2
        probability = logits.new_empty((1, 1, *space) if two else (batch, channels, *space), dtype=kind)
        target, valid = logits.new_empty((2, *space), dtype=kind)
        one = torch.ones((), dtype=kind, device=logits.device)
        masked = may_hold_ignored(labels)
        compared = range(1 if two else first, channels)
        sums = []
        for b in range(batch):
            p = _normalise(logits[b], probability[0 if two else b])
            w = None if weight is None else weight[b]
            if masked:
                # A probability of 0 leaves every sum and, being a factor of the softmax's derivative, the gradient.
                p.mul_(torch.ge(labels[b], 0, out=valid))
            total = _total(valid if masked else None, w, target)
            for c in compared:
                g = _target(labels[b], c, channels, None if target_map is None else target_map[b], target)
                if masked and (two or target_map is not None):
                    g.mul_(valid)
                sums += _sums(p[c - channels], g, w, squared)
            if two and first == 0:
                rest = torch.sub(valid if masked else one, p[0], out=valid)
                sums[-3:-3] = _sums_of_rest(rest, torch.sub(one, g, out=target), w, squared, total - sums[-1])
            sums.append(total)
        ctx.save_for_backward(logits if two else probability, labels, weight, target_map)
        ctx.squared, ctx.masked, ctx.kind, ctx.dtype = squared, masked, kind, logits.dtype
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
        kept, labels, weight, target_map = ctx.saved_tensors
        shape, stride = ctx.layout.shape, ctx.layout.stride()
        gradient = torch.empty_strided(shape, stride, dtype=ctx.dtype, device=kept.device)
        two = shape[1] == 2
        through = _through_sigmoid if two else _through_softmax
        for b in range(shape[0]):
            flow = gradient[b] if gradient.dtype == ctx.kind else torch.empty_like(gradient[b], dtype=ctx.kind)
            p = _probability_again(kept[b], labels[b], ctx.masked, flow) if two else kept[b]
            own_map = None if target_map is None else target_map[b]
            own_weight = None if weight is None else weight[b]
            through(flow, p, labels[b], own_map, own_weight, by_overlap[b], by_predicted[b], ctx.squared)
            if flow.dtype != gradient.dtype:
                gradient[b].copy_(flow)
        return gradient, None, None, None, None, None


def _normalise(logits: Tensor, out: Tensor) -> Tensor:
    """Softmax of one sample's logits (C, *S) into `out`, in its precision; of two classes the foreground's alone."""
    if out.shape[0] == 1:
        torch.sub(logits[1].to(out.dtype), logits[0].to(out.dtype), out=out[0])
        return out.sigmoid_()
    return torch.softmax(logits, 0, dtype=out.dtype, out=out)


def _probability_again(logits: Tensor, labels: Tensor, masked: bool, flow: Tensor) -> Tensor:
    """The foreground's probability (1, *S) of one sample as in the forward pass, in flow[0]; flow[1] is overwritten."""
    p = _normalise(logits, flow[:1])
    if masked:
        p.mul_(torch.ge(labels, 0, out=flow[1]))
    return p


def _target(labels: Tensor, label: int, channels: int, target_map: Tensor | None, out: Tensor) -> Tensor:
    """What the class should be at each voxel of one sample, into `out`; floats, because boolean masks are slower.

    The foreground of two classes is the label itself, but for −1, where every probability is 0 anyway.
    """
    if target_map is not None:
        return out.copy_(target_map[label - 1])
    return out.copy_(labels) if channels == 2 else torch.eq(labels, label, out=out)


def _sums(p: Tensor, g: Tensor, weight: Tensor | None, squared: bool) -> list[Tensor]:
    weighted_p, weighted_g = (p, g) if weight is None else (p * weight, g * weight)
    predicted = dot(weighted_p, p) if squared else weighted_p.sum()
    wanted = dot(weighted_g, g) if squared else weighted_g.sum()
    return [dot(weighted_p, g), predicted, wanted]


def _sums_of_rest(rest: Tensor, g: Tensor, weight: Tensor | None, squared: bool, wanted: Tensor) -> list[Tensor]:
    """The sums of the background of two classes; where the label is −1 its `g` is anything and `rest` 0."""
    weighted = rest if weight is None else rest * weight
    return [dot(weighted, g), dot(weighted, rest) if squared else weighted.sum(), wanted]


def _total(valid: Tensor | None, weight: Tensor | None, like: Tensor) -> Tensor:
    if valid is None:
        return like.new_tensor(float(like.numel())) if weight is None else weight.sum()
    return valid.sum() if weight is None else dot(valid, weight.contiguous())


def _through_sigmoid(
    flow: Tensor,
    p: Tensor,
    labels: Tensor,
    target_map: Tensor | None,
    weight: Tensor | None,
    by_overlap: Tensor,
    by_predicted: Tensor,
    squared: bool,
) -> None:
    """∂L/∂logit_1 = p·(1−p)·(∂L/∂p_1 − ∂L/∂p_0) into flow[1], where the work is done, its negative into flow[0].

    `p` lies in flow[0]. With p_0 = 1 − p and g_0 = 1 − g the bracket is a constant plus multiples of g and, when
    squared, of p.
    """
    pull = _target(labels, 1, 2, target_map, flow[1]).mul_(by_overlap.sum())
    background = by_overlap[:-1].sum()  # of an empty sum where the background is left out
    if squared:
        pull.addcmul_(p[0], 2 * by_predicted.sum()).sub_(2 * by_predicted[:-1].sum() + background)
    else:
        pull.add_(by_predicted[-1] - by_predicted[:-1].sum() - background)
    if weight is not None:
        pull.mul_(weight)
    torch.ops.aten.sigmoid_backward.grad_input(pull, p[0], grad_input=flow[1])
    torch.neg(flow[1], out=flow[0])


def _through_softmax(
    flow: Tensor,
    p: Tensor,
    labels: Tensor,
    target_map: Tensor | None,
    weight: Tensor | None,
    by_overlap: Tensor,
    by_predicted: Tensor,
    squared: bool,
) -> None:
    """∂L/∂logit_c = p_c·(u_c − Σ_k p_k·u_k) into flow, u_c = ∂L/∂p_c, 0 for a background that is left out."""
    channels, first = len(flow), len(flow) - len(by_overlap)
    for c in range(first, channels):
        pull = _target(labels, c, channels, target_map, flow[c]).mul_(by_overlap[c - first])
        slope = by_predicted[c - first]
        pull = pull.addcmul_(p[c], 2 * slope) if squared else pull.add_(slope)
        if weight is not None:
            pull.mul_(weight)
        pull.mul_(p[c])
    mean = flow[0] if first == 1 else torch.empty_like(flow[0])
    mean.copy_(flow[channels - 1])
    for c in range(first, channels - 1):
        mean.add_(flow[c])
    for c in range(first, channels):
        flow[c].addcmul_(p[c], mean, value=-1)
    if first == 1:
        mean.mul_(p[0]).neg_()
