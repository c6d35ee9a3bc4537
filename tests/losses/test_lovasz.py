"""Lovász-softmax: against the sorted sum written out, hard masks, weights, and float32 on many voxels."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import losses
from losses import LossError
from losses.contract import check


def jaccard_loss(errors, g):
    """Σ sorted errors · ∇(1 − Jaccard) of one class, flat, by differences."""
    order = errors.argsort(descending=True)
    g = g[order].double()
    index = 1 - (g.sum() - g.cumsum(0)) / (g.sum() + (1 - g).cumsum(0))
    steps = torch.cat([index[:1], index[1:] - index[:-1]])
    return (errors[order] * steps).sum()


def naive(p, labels, include_background=True, batch=True):
    groups = [range(len(p))] if batch else [[b] for b in range(len(p))]
    values = []
    for group in groups:
        kept = torch.stack([labels[b] >= 0 for b in group])
        terms = []
        for c in range(0 if include_background else 1, p.shape[1]):
            q = torch.stack([p[b, c] for b in group])[kept]
            g = torch.stack([labels[b] == c for b in group])[kept]
            if g.any():
                terms.append(jaccard_loss((g.double() - q).abs(), g))
        values.append(torch.stack(terms).mean() if terms else 0 * p.sum())
    return torch.stack(values).mean()


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("ignore", [False, True])
@pytest.mark.parametrize("include_background", [False, True])
@pytest.mark.parametrize("batch", [False, True])
def test_value_and_gradient_equal_the_sorted_sum(scene, agree, channels, dims, ignore, include_background, batch):
    case = scene(channels, dims, ignore=ignore)
    loss = losses.create("lovasz", include_background=include_background, batch=batch)
    agree(loss, lambda p, y: naive(p, y, include_background, batch), case)


def test_a_certain_mask_costs_one_minus_its_jaccard_index(scene, certain):
    case = scene(dims=2)
    other = torch.roll(case.labels, 1, 2)
    index = ((other == 1) & (case.labels == 1)).sum() / ((other == 1) | (case.labels == 1)).sum()
    loss = losses.create("lovasz", include_background=False)
    assert loss(certain(other), case.labels).item() == pytest.approx(1 - index.item())
    assert loss(certain(case.labels), case.labels).item() == pytest.approx(0, abs=1e-12)


def test_two_classes_have_the_same_errors_but_not_the_same_index(scene):
    case = scene()
    foreground = losses.create("lovasz", include_background=False)(case.logits, case.labels)
    both = losses.create("lovasz")(case.logits, case.labels)
    assert (foreground - both).abs() > 0.05


def test_absent_classes_leave_the_mean(scene):
    case = scene(3)
    gone = torch.where(case.labels == 2, 0, case.labels)
    kept = losses.create("lovasz", include_background=False)(case.logits, gone)
    torch.testing.assert_close(kept, naive(case.logits.softmax(1)[:, :2], gone, include_background=False))
    empty = torch.zeros_like(gone)
    logits = case.logits.requires_grad_()
    nothing = losses.create("lovasz", include_background=False)(logits, empty)
    nothing.backward()
    assert nothing == 0
    assert not logits.grad.any()
    assert losses.create("lovasz")(case.logits, empty) > 0.1


def test_a_weight_of_two_is_a_voxel_seen_twice(scene):
    case = scene(dims=2)
    weight = torch.randint(0, 3, case.labels.shape, generator=torch.Generator().manual_seed(0))
    again = weight.flatten()
    logits = case.logits.movedim(1, -1).reshape(-1, 2).repeat_interleave(again, 0).T.reshape(1, 2, 1, -1)
    labels = case.labels.flatten().repeat_interleave(again).view(1, 1, -1)
    loss = losses.create("lovasz")
    weighted = loss(case.logits, case.labels, voxel_weight=weight.double())
    torch.testing.assert_close(weighted, loss(logits, labels))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), channels=st.sampled_from([2, 3]))
def test_the_order_of_the_voxels_does_not_matter(seed, channels):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((1, channels, 6, 7), generator=generator, dtype=torch.float64)
    labels = torch.randint(-1, channels, (1, 6, 7), generator=generator)
    order = torch.randperm(42, generator=generator)
    moved = logits.flatten(2)[:, :, order].view_as(logits), labels.flatten(1)[:, order].view_as(labels)
    torch.testing.assert_close(losses.create("lovasz")(logits, labels), losses.create("lovasz")(*moved))


def test_gradients_in_float32_have_digits_left_on_many_voxels():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn((1, 2, 64, 64, 64), generator=generator, dtype=torch.float64)
    labels = (torch.rand((1, 64, 64, 64), generator=generator) < 0.001).long()
    loss = losses.create("lovasz", include_background=False)
    gradients = []
    for kind in (torch.float64, torch.float32):
        leaf = logits.to(kind, copy=True).requires_grad_()
        loss(leaf, labels).backward()
        gradients.append(leaf.grad.double())
    exact, single = gradients
    assert ((single - exact).norm() / exact.norm()).item() < 1e-3
    # The published way, a difference of indices near 1 in float32, is off in most background voxels.
    leaf = logits.float().requires_grad_()
    errors = (labels.flatten().float() - leaf.softmax(1)[0, 1].flatten()).abs()
    order = errors.detach().argsort(descending=True)
    g = labels.flatten()[order].float()
    index = 1 - (g.sum() - g.cumsum(0)) / (g.sum() + (1 - g).cumsum(0))
    (errors[order] * torch.cat([index[:1], index[1:] - index[:-1]])).sum().backward()
    background = (labels == 0)[:, None].expand_as(exact)
    published = (leaf.grad.double() - exact)[background].norm() / exact[background].norm()
    ours = (single - exact)[background].norm() / exact[background].norm()
    assert published > 10 * ours


def test_gradcheck(scene, small):
    case = small(scene(3, 2, ignore=True, batch=1))
    loss = losses.create("lovasz")
    assert torch.autograd.gradcheck(lambda x: loss(x, case.labels), (case.logits.requires_grad_(),))


@pytest.mark.parametrize("flag", ["batch", "include_background"])
def test_flags_are_booleans(flag):
    with pytest.raises(LossError, match=f"lovasz: {flag} must be true or false, got 1"):
        losses.create("lovasz", **{flag: 1})


@pytest.mark.parametrize("parameters", [{"batch": False}, {"include_background": False}])
def test_every_choice_keeps_the_contract(parameters):
    check(losses.create("lovasz", **parameters))
