"""Focal loss: its formula, its identity with cross entropy, and what MONAI's softmax form does."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.losses import FocalLoss

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


def definition(logits, labels, exponent, foreground_weight):
    p = logits.softmax(1).gather(1, labels.clamp(min=0)[:, None])[:, 0]
    weight = torch.where(labels > 0, foreground_weight, 1 - foreground_weight) * (labels >= 0)
    return -(weight * (1 - p) ** exponent * p.log()).sum() / (labels >= 0).sum()


@pytest.mark.parametrize("channels", [2, 3, 5])
@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0, 3.7])
def test_value_and_gradient_equal_the_definition(channels, exponent):
    logits, labels = random_case(channels)
    value, gradient = value_and_gradient(
        losses.create("focal", exponent=exponent, foreground_weight=0.8), logits, labels
    )
    expected, wanted = value_and_gradient(lambda x, y: definition(x, y, exponent, 0.8), logits, labels)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


@pytest.mark.parametrize("foreground_weight", [0.25, 0.75])
def test_monais_softmax_form_averages_over_channels_and_is_half_of_it(foreground_weight):
    logits, labels = random_case(2, lowest=0)
    monai = FocalLoss(use_softmax=True, to_onehot_y=True, gamma=2.0, alpha=foreground_weight)
    value, gradient = value_and_gradient(losses.create("focal", foreground_weight=foreground_weight), logits, labels)
    expected, wanted = value_and_gradient(lambda x, y: monai(x, y[:, None]), logits, labels)
    torch.testing.assert_close(value.float(), 2 * expected)  # MONAI computes in float32
    torch.testing.assert_close(gradient, 2 * wanted, rtol=1e-4, atol=1e-7)


def test_monais_focal_without_background_is_nothing_and_ours_is_not():
    logits, labels = random_case(2, lowest=0)
    monai = FocalLoss(use_softmax=True, to_onehot_y=True, include_background=False)
    assert monai(logits, labels[:, None]) == 0
    assert losses.create("focal")(logits, labels) > 0.1


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), channels=st.integers(2, 4))
def test_exponent_zero_with_equal_weights_is_half_the_cross_entropy(seed, channels):
    logits, labels = random_case(channels, seed)
    focal = losses.create("focal", exponent=0, foreground_weight=0.5)(logits, labels)
    torch.testing.assert_close(2 * focal, losses.create("cross_entropy")(logits, labels))


@pytest.mark.parametrize("exponent", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("size", [1e4, 30.0])
def test_certainty_has_a_finite_gradient_and_right_certainty_costs_nothing(exponent, size):
    labels = torch.tensor([[[0, 1], [1, 0]]])
    right = size * torch.stack([labels == 0, labels == 1], 1).float()
    loss = losses.create("focal", exponent=exponent)
    value, gradient = value_and_gradient(loss, right, labels)
    assert value.item() == pytest.approx(0, abs=1e-12)
    assert gradient.isfinite().all()
    value, gradient = value_and_gradient(loss, -right, labels)
    assert value.item() == pytest.approx(size / 2)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0.1


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("exponent", [0.5, 2.0])
def test_gradcheck_with_voxel_weights(channels, exponent):
    logits, labels = random_case(channels)
    logits, labels = logits[:, :, :2, :2].contiguous().requires_grad_(), labels[:, :2, :2]
    weight = torch.rand(labels.shape, dtype=torch.float64)
    loss = losses.create("focal", exponent=exponent)
    assert torch.autograd.gradcheck(lambda x: loss(x, labels, voxel_weight=weight), (logits,))


def test_easy_voxels_lose_most_of_their_pull():
    labels = torch.tensor([[[1, 1]]])
    logits = torch.tensor([[[[0.0, 0.0]], [[3.0, -1.0]]]])  # one voxel is right, one is wrong
    _, plain = value_and_gradient(F.cross_entropy, logits, labels)
    _, focal = value_and_gradient(losses.create("focal"), logits, labels)
    easy, hard = (focal / plain)[0, 1, 0].tolist()
    assert easy < 0.02 * hard


@pytest.mark.parametrize(
    ("parameter", "value", "domain"),
    [
        ("exponent", -0.1, "a number >= 0"),
        ("exponent", "2", "a number >= 0"),
        ("foreground_weight", 1.1, "a number >= 0 and <= 1"),
        ("foreground_weight", float("nan"), "a number >= 0 and <= 1"),
    ],
)
def test_parameters_outside_their_domain_are_refused(parameter, value, domain):
    with pytest.raises(LossError, match=f"focal: {parameter} must be {domain}, got"):
        losses.create("focal", **{parameter: value})
