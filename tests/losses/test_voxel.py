"""The voxel primitives against plain autograd."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from losses.labels import class_voxels, equals, valid, voxels
from losses.voxel import VoxelLoss, cross_entropies, mean_over, plain, voxel_sum


def case(channels=2, shape=(2, 4, 3, 5), seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn((shape[0], channels, *shape[1:]), generator=generator, dtype=dtype)
    labels = torch.randint(-1, channels, shape, generator=generator)
    weight = torch.rand(shape, generator=generator, dtype=dtype)
    return logits, labels, weight


def squared(x, rest):
    """A cost that uses both arguments: x²·rest."""
    return x.square() * rest, 2 * x * rest + x.square() * (1 - rest)


@pytest.mark.parametrize("shape", [(2, 4, 5), (3, 4, 3, 2)])
@pytest.mark.parametrize("channels", [2, 3, 5])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("by_class", [False, True])
def test_a_sum_and_its_gradient_equal_the_definition(shape, channels, weighted, by_class):
    logits, labels, weight = case(channels, shape)
    class_weight = torch.arange(1, channels + 1, dtype=torch.float64)
    ours, theirs = (logits.clone().requires_grad_() for _ in range(2))
    value = voxel_sum(
        ours, labels, squared,
        class_weight=class_weight if by_class else None, voxel_weight=weight if weighted else None,
    )  # fmt: skip
    x = F.cross_entropy(theirs, labels, ignore_index=-1, reduction="none")
    factor = (weight if weighted else 1) * (class_weight[labels.clamp(min=0)] if by_class else 1) * (labels >= 0)
    expected = (x.square() * (1 - (-x).exp()) * factor).sum()
    torch.testing.assert_close(value, expected)
    value.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("channels", [2, 4])
def test_cross_entropies_and_their_gradient_equal_torch(channels):
    logits, labels, weight = case(channels)
    ours, theirs = (logits.clone().requires_grad_() for _ in range(2))
    costs = cross_entropies(ours, labels)
    expected = F.cross_entropy(theirs, labels, ignore_index=-1, reduction="none")
    torch.testing.assert_close(costs, expected)
    (costs * weight).square().sum().backward()
    (expected * weight).square().sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("channels", [2, 3])
def test_backward_can_run_twice_on_one_graph(channels):
    logits, labels, _ = case(channels)
    logits.requires_grad_()
    value = voxel_sum(logits, labels, plain)
    (first,) = torch.autograd.grad(value, logits, retain_graph=True)
    (second,) = torch.autograd.grad(value, logits)
    assert torch.equal(first, second)
    assert first.any()


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16])
def test_the_gradient_has_type_and_layout_of_the_logits(channels, layout, kind):
    logits, labels, _ = case(channels)
    leaf = logits.to(kind).to(memory_format=layout).requires_grad_()
    value = voxel_sum(leaf, labels, plain)
    value.backward()
    assert value.dtype == torch.float32
    assert leaf.grad.dtype == kind
    assert leaf.grad.is_contiguous(memory_format=layout)


@pytest.mark.parametrize("channels", [2, 3])
def test_half_precision_logits_are_subtracted_in_float32(channels):
    logits, labels, _ = case(channels)
    coarse = (100 + logits).bfloat16()
    torch.testing.assert_close(
        voxel_sum(coarse, labels, plain).double(), voxel_sum(coarse.double(), labels, plain), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("channels", [2, 3])
def test_logits_of_ten_thousand_cost_their_difference(channels):
    logits = torch.zeros(1, channels, 1, 2)
    logits[0, 1] = 1e4
    labels = torch.tensor([[[1, 0]]])
    assert cross_entropies(logits, labels).tolist() == [[[0.0, 1e4]]]


@pytest.mark.parametrize("kind", [torch.int8, torch.int16, torch.int32, torch.int64])
def test_labels_of_any_type_are_counted_alike(kind):
    labels = torch.tensor([[-1, 0, 2], [1, 2, 2]], dtype=kind)
    like = torch.zeros((), dtype=torch.float64)
    assert voxels(labels, like) == 5
    assert class_voxels(labels, 4, like).tolist() == [1, 1, 3, 0]
    assert class_voxels(labels, 4, like).dtype == torch.float64
    assert valid(labels, like).tolist() == [[0, 1, 1], [1, 1, 1]]
    assert equals(labels, 2, like).tolist() == [[0, 0, 1], [0, 1, 1]]


def test_a_mean_over_nothing_is_nothing():
    assert mean_over(torch.zeros(3), torch.tensor(0.0)) == 0


def test_a_voxel_loss_without_a_cost_says_so():
    with pytest.raises(NotImplementedError, match=r"VoxelLoss defines no cost\(\)"):
        VoxelLoss()(torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, dtype=torch.int64))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), channels=st.integers(2, 4))
def test_ignoring_a_voxel_is_giving_it_weight_zero(seed, channels):
    logits, labels, _ = case(channels, (2, 4, 6), seed)
    weightless = voxel_sum(logits, labels.clamp(min=0), squared, voxel_weight=(labels >= 0).double())
    torch.testing.assert_close(voxel_sum(logits, labels, squared), weightless)
