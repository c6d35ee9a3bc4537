"""Top-k cross entropy: which voxels, how many, and what is never chosen."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

import losses
from losses import LossError


def random_case(channels=2, seed=0, lowest=-1):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn((2, channels, 6, 5, 4), generator=generator, dtype=torch.float64)
    return logits, torch.randint(lowest, channels, (2, 6, 5, 4), generator=generator)


def value_and_gradient(loss, logits, labels):
    leaf = logits.clone().requires_grad_()
    value = loss(leaf, labels)
    value.backward()
    return value.detach(), leaf.grad


def definition(logits, labels, fraction):
    costs = F.cross_entropy(logits, labels, ignore_index=-1, reduction="none")[labels >= 0]
    worst = costs.sort(descending=True).values
    return worst[: max(1, int(fraction * len(costs)))].mean()


@pytest.mark.parametrize("channels", [2, 3, 5])
@pytest.mark.parametrize("fraction", [1e-4, 0.1, 0.5, 1.0])
def test_value_and_gradient_equal_the_definition(channels, fraction):
    logits, labels = random_case(channels)
    value, gradient = value_and_gradient(losses.create("top_k", fraction=fraction), logits, labels)
    expected, wanted = value_and_gradient(lambda x, y: definition(x, y, fraction), logits, labels)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


def test_the_whole_batch_is_one_pool():
    logits, labels = random_case(lowest=0)
    logits[1] = 20 * torch.stack([labels[1] == 0, labels[1] == 1])  # a solved sample
    _, gradient = value_and_gradient(losses.create("top_k"), logits, labels)
    assert gradient[0].any()
    assert not gradient[1].any()


def test_the_share_is_of_the_voxels_that_are_not_ignored():
    logits, labels = random_case(lowest=0)
    cropped = losses.create("top_k")(logits[:, :, :3], labels[:, :3])
    labels[:, 3:] = -1
    torch.testing.assert_close(losses.create("top_k")(logits, labels), cropped)


def test_weights_multiply_costs_before_the_choice():
    logits = torch.tensor([[[[0.0, 0.0]], [[-1.0, -2.0]]]])
    labels = torch.tensor([[[1, 1]]])
    weight = torch.tensor([[[10.0, 1.0]]])
    value = losses.create("top_k", fraction=0.5)(logits, labels, voxel_weight=weight)
    assert value.item() == pytest.approx(10 * F.softplus(torch.tensor(1.0)).item())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), channels=st.integers(2, 4))
def test_fewer_voxels_cost_more_and_all_of_them_are_cross_entropy(seed, channels):
    logits, labels = random_case(channels, seed)
    values = [losses.create("top_k", fraction=fraction)(logits, labels).item() for fraction in (0.01, 0.1, 0.5, 1)]
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(losses.create("cross_entropy")(logits, labels).item())


@pytest.mark.parametrize("channels", [2, 3])
def test_gradcheck(channels):
    logits, labels = random_case(channels)
    logits, labels = logits[:, :, :2, :2].contiguous().requires_grad_(), labels[:, :2, :2]
    loss = losses.create("top_k", fraction=0.3)
    assert torch.autograd.gradcheck(lambda x: loss(x, labels), (logits,))


@pytest.mark.parametrize("value", [0, -0.1, 1.01, 10, "0.1"])
def test_fractions_outside_their_domain_are_refused(value):
    with pytest.raises(LossError, match="top_k: fraction must be a number > 0 and <= 1, got"):
        losses.create("top_k", fraction=value)
