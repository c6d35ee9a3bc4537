"""Cross entropy against torch's."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

import losses
from losses import LossError


def random_case(channels, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn((2, channels, 6, 5, 4), generator=generator, dtype=torch.float64)
    return logits, torch.randint(-1, channels, (2, 6, 5, 4), generator=generator)


def value_and_gradient(loss, logits, labels):
    leaf = logits.clone().requires_grad_()
    value = loss(leaf, labels)
    value.backward()
    return value.detach(), leaf.grad


@pytest.mark.parametrize("channels", [2, 3, 5])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_value_and_gradient_equal_torch(channels, smoothing):
    logits, labels = random_case(channels)
    ours = losses.create("cross_entropy", label_smoothing=smoothing)

    def torchs(x, y):
        return F.cross_entropy(x, y, ignore_index=-1, label_smoothing=smoothing)

    value, gradient = value_and_gradient(ours, logits, labels)
    expected, wanted = value_and_gradient(torchs, logits, labels)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


@pytest.mark.parametrize("channels", [2, 3])
def test_weights_multiply_costs_but_not_the_number_of_voxels(channels):
    logits, labels = random_case(channels)
    weight = torch.rand(labels.shape, dtype=torch.float64)
    cost = F.cross_entropy(logits, labels, ignore_index=-1, reduction="none")
    expected = (cost * weight).sum() / (labels >= 0).sum()
    torch.testing.assert_close(losses.create("cross_entropy")(logits, labels, voxel_weight=weight), expected)


@pytest.mark.parametrize("channels", [2, 3])
def test_even_odds_cost_the_logarithm_of_the_number_of_classes(channels):
    labels = torch.zeros(1, 4, 4, dtype=torch.int8)
    value = losses.create("cross_entropy")(torch.zeros(1, channels, 4, 4), labels)
    assert value.item() == pytest.approx(math.log(channels))


@pytest.mark.parametrize("channels", [2, 3])
def test_certainty_costs_nothing_or_the_margin(channels):
    labels = torch.zeros(1, 4, 4, dtype=torch.int8)
    logits = torch.zeros(1, channels, 4, 4)
    logits[:, 0] = 200
    assert losses.create("cross_entropy")(logits, labels).item() == 0
    assert losses.create("cross_entropy")(logits, labels + 1).item() == pytest.approx(200)


@pytest.mark.parametrize("channels", [2, 3])
def test_nothing_to_look_at_costs_nothing(channels):
    logits, labels = random_case(channels)
    value, gradient = value_and_gradient(losses.create("cross_entropy"), logits, torch.full_like(labels, -1))
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_gradcheck(channels, smoothing):
    logits, labels = random_case(channels)
    logits, labels = logits[:, :, :2, :2].contiguous().requires_grad_(), labels[:, :2, :2]
    loss = losses.create("cross_entropy", label_smoothing=smoothing)
    assert torch.autograd.gradcheck(lambda x: loss(x, labels), (logits,))


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "0.1", True])
def test_label_smoothing_outside_its_domain_is_refused(value):
    with pytest.raises(LossError, match=r"cross_entropy: label_smoothing must be a number >= 0 and <= 1, got"):
        losses.create("cross_entropy", label_smoothing=value)
