"""Soft counts against their definition in plain autograd, values and gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from losses.soft_counts import SoftCounts, soft_counts

SHAPES = [(2, 5, 4), (2, 3, 4, 5)]


def case(channels: int, shape=(2, 3, 4, 5), seed: int = 0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    batch, *space = shape
    logits = torch.randn((batch, channels, *space), generator=generator, dtype=dtype)
    labels = torch.randint(-1, channels, shape, generator=generator)
    weight = torch.rand(shape, generator=generator, dtype=dtype)
    target_map = torch.rand((batch, channels - 1, *space), generator=generator, dtype=dtype)
    return logits, labels, weight, target_map


def definition(logits, labels, *, include_background=False, squared=False, voxel_weight=None, target_map=None):
    """The sums as they are written, with a one-hot tensor."""
    channels = logits.shape[1]
    weight = (labels >= 0).to(logits.dtype)
    if voxel_weight is not None:
        weight = weight * voxel_weight
    p = logits.softmax(1)
    g = F.one_hot(labels.clamp(min=0), channels).movedim(-1, 1).to(logits.dtype)
    if target_map is not None:
        g = torch.cat([g[:, :1], target_map], dim=1)
    power = 2 if squared else 1
    terms = (p * g, p**power, g**power)
    sums = [(term * weight[:, None]).flatten(2).sum(2)[:, 0 if include_background else 1 :] for term in terms]
    return SoftCounts(*sums, weight.flatten(1).sum(1))


OPTIONS = [
    {},
    {"include_background": True},
    {"squared": True},
    {"include_background": True, "squared": True},
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("channels", [2, 3, 5])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_counts_and_gradients_equal_the_definition(shape, channels, options, weighted):
    logits, labels, weight, _ = case(channels, shape)
    options = {**options, "voxel_weight": weight if weighted else None}
    ours, theirs = (logits.clone().requires_grad_() for _ in range(2))
    counts, expected = soft_counts(ours, labels, **options), definition(theirs, labels, **options)
    for count, wanted in zip(counts, expected, strict=True):
        torch.testing.assert_close(count, wanted)
    pull = torch.rand_like(counts.overlap)
    ((counts.overlap * pull).sum() + (counts.predicted * pull.square()).sum()).backward()
    ((expected.overlap * pull).sum() + (expected.predicted * pull.square()).sum()).backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("squared", [False, True])
def test_a_target_map_takes_the_place_of_the_labels(channels, squared):
    logits, labels, weight, target_map = case(channels)
    options = {"squared": squared, "voxel_weight": weight, "target_map": target_map}
    ours, theirs = (logits.clone().requires_grad_() for _ in range(2))
    counts, expected = soft_counts(ours, labels, **options), definition(theirs, labels, **options)
    for count, wanted in zip(counts, expected, strict=True):
        torch.testing.assert_close(count, wanted)
    counts.overlap.square().sum().backward()
    expected.overlap.square().sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_a_target_map_has_no_background():
    logits, labels, _, target_map = case(2)
    with pytest.raises(ValueError, match="no background channel"):
        soft_counts(logits, labels, include_background=True, target_map=target_map)


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("options", OPTIONS)
def test_gradcheck(channels, options):
    logits, labels, weight, _ = case(channels, (2, 3, 2, 2))
    logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: soft_counts(x, labels, voxel_weight=weight, **options)[:2], (logits,))


@pytest.mark.parametrize("channels", [2, 3])
def test_counts_used_twice_give_the_sum_of_both_gradients(channels):
    logits, labels, _, _ = case(channels, (2, 3, 2, 2))
    logits.requires_grad_()

    def twice(x):
        counts = soft_counts(x, labels)
        again = soft_counts(x, labels, squared=True)
        return counts.overlap * counts.overlap / counts.predicted + again.predicted * counts.overlap

    assert torch.autograd.gradcheck(twice, (logits,))


@pytest.mark.parametrize("channels", [2, 3])
def test_backward_can_run_twice_on_one_graph(channels):
    logits, labels, _, _ = case(channels)
    logits.requires_grad_()
    value = soft_counts(logits, labels).overlap.sum()
    (first,) = torch.autograd.grad(value, logits, retain_graph=True)
    (second,) = torch.autograd.grad(value, logits)
    assert torch.equal(first, second)
    assert first.any()


def test_a_second_derivative_is_refused_rather_than_wrong():
    logits, labels, _, _ = case(2)
    logits.requires_grad_()
    (gradient,) = torch.autograd.grad(soft_counts(logits, labels).overlap.square().sum(), logits, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize(("given", "computed"), [(torch.float64, torch.float64), (torch.bfloat16, torch.float32)])
@pytest.mark.parametrize("channels", [2, 3])
def test_sums_are_float32_and_gradients_have_the_type_of_the_logits(channels, given, computed):
    logits, labels, _, _ = case(channels)
    logits = logits.to(given).requires_grad_()
    counts = soft_counts(logits, labels)
    counts.overlap.sum().backward()
    assert {count.dtype for count in counts} == {computed}
    assert logits.grad.dtype == given


@pytest.mark.parametrize("channels", [2, 3])
def test_half_precision_logits_are_subtracted_in_float32(channels):
    generator = torch.Generator().manual_seed(1)
    logits = (100 + torch.randn((1, channels, 8, 8, 8), generator=generator)).bfloat16()
    labels = torch.randint(0, channels, (1, 8, 8, 8), generator=generator)
    torch.testing.assert_close(
        soft_counts(logits, labels).overlap.double(), definition(logits.double(), labels).overlap, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("channels", [2, 3])
def test_the_gradient_keeps_the_memory_layout_of_the_logits(channels):
    logits, labels, _, _ = case(channels, dtype=torch.float32)
    last = logits.to(memory_format=torch.channels_last_3d).requires_grad_()
    soft_counts(last, labels).overlap.sum().backward()
    assert last.grad.is_contiguous(memory_format=torch.channels_last_3d)


def test_a_rare_background_of_two_classes_is_counted_as_accurately_as_a_rare_foreground():
    labels = torch.ones(1, 100, 100, 20, dtype=torch.long)
    labels[0, 0, 0, :5] = 0
    logits = torch.stack([-4.0 * labels, 4.0 * labels], 1)
    logits[0, 0, 0, 0, :5] = 2.0
    logits.requires_grad_()
    counts, exact = (soft_counts(x, labels, include_background=True) for x in (logits, logits.detach().double()))
    for count, wanted in zip(counts, exact, strict=True):
        torch.testing.assert_close(count.double(), wanted, rtol=2e-4, atol=0)


def test_a_long_sum_stays_accurate_in_float32():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn((1, 2, 3_000_000, 1), generator=generator)
    labels = torch.randint(0, 2, (1, 3_000_000, 1), generator=generator)
    counts, exact = soft_counts(logits, labels), definition(logits.double(), labels)
    for count, wanted in zip(counts, exact, strict=True):
        torch.testing.assert_close(count.double(), wanted, rtol=1e-5, atol=0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), channels=st.integers(2, 4), background=st.booleans())
def test_counts_do_not_depend_on_the_order_of_voxels(seed, channels, background):
    logits, labels, weight, _ = case(channels, (2, 4, 6), seed)
    order = torch.randperm(24, generator=torch.Generator().manual_seed(seed))

    def shuffled(tensor):
        return tensor.flatten(-2)[..., order].view_as(tensor)

    counts = soft_counts(logits, labels, voxel_weight=weight, include_background=background)
    moved = soft_counts(
        shuffled(logits), shuffled(labels), voxel_weight=shuffled(weight), include_background=background
    )
    for count, other in zip(counts, moved, strict=True):
        torch.testing.assert_close(count, other)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), channels=st.integers(2, 4), squared=st.booleans())
def test_ignoring_a_voxel_is_giving_it_weight_zero(seed, channels, squared):
    logits, labels, _, _ = case(channels, (2, 4, 6), seed)
    whole = labels.clamp(min=0)
    ignored = soft_counts(logits, labels, squared=squared)
    weightless = soft_counts(logits, whole, squared=squared, voxel_weight=(labels >= 0).double())
    for count, other in zip(ignored, weightless, strict=True):
        torch.testing.assert_close(count, other)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), channels=st.integers(2, 4))
def test_overlap_is_at_most_either_volume_and_volumes_add_up(seed, channels):
    logits, labels, _, _ = case(channels, (2, 4, 6), seed)
    counts = soft_counts(logits, labels, include_background=True)
    assert (counts.overlap <= torch.minimum(counts.predicted, counts.target) + 1e-9).all()
    torch.testing.assert_close(counts.predicted.sum(1), counts.total)
    torch.testing.assert_close(counts.target.sum(1), counts.total)
