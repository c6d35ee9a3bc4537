"""Focal Tversky: a power per sample and class, finite slopes, and the conventions it is confused with."""

from __future__ import annotations

import pytest
import torch

import losses
from losses import LossError


def random_case(channels=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((3, channels, 4, 5, 6), generator=generator, dtype=torch.float64)
    labels = torch.randint(0, channels, (3, 4, 5, 6), generator=generator)
    labels[0] *= torch.rand(labels[0].shape, generator=generator) < 0.1
    return logits, labels


def value_and_gradient(loss, logits, labels):
    leaf = logits.clone().requires_grad_()
    value = loss(leaf, labels)
    value.backward()
    return value.detach(), leaf.grad


def indices(logits, labels, fp_weight=0.3, fn_weight=0.7, smooth=1e-5):
    """Tversky index (B, C-1) from a one-hot tensor."""
    channels = logits.shape[1]
    p = logits.softmax(1)[:, 1:].flatten(2)
    g = torch.nn.functional.one_hot(labels, channels).movedim(-1, 1)[:, 1:].flatten(2).to(p.dtype)
    tp, fp, fn = ((p * g).sum(2), (p * (1 - g)).sum(2), ((1 - p) * g).sum(2))
    return (tp + smooth) / (tp + fp_weight * fp + fn_weight * fn + smooth)


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("exponent", [0.5, 0.75, 1.0, 2.0])
def test_value_and_gradient_equal_the_definition(channels, exponent):
    logits, labels = random_case(channels)
    ours = losses.create("focal_tversky", fp_weight=0.2, fn_weight=0.9, smooth=1e-3, exponent=exponent)
    value, gradient = value_and_gradient(ours, logits, labels)
    expected, wanted = value_and_gradient(
        lambda x, y: ((1 - indices(x, y, 0.2, 0.9, 1e-3)) ** exponent).mean(), logits, labels
    )
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


def test_the_power_comes_before_the_mean():
    logits, labels = random_case()
    after = (1 - indices(logits, labels).mean()) ** 0.75  # SegLossOdyssey
    before = ((1 - indices(logits, labels)) ** 0.75).mean()
    value = losses.create("focal_tversky")(logits, labels)
    torch.testing.assert_close(value, before)
    assert abs(value - after) > 1e-3


def test_defaults_weigh_misses_more_with_the_exponent_of_the_authors_code():
    parameters = losses.describe("focal_tversky").parameters
    assert [parameters[key].default for key in ("fp_weight", "fn_weight", "exponent")] == [0.3, 0.7, 0.75]


def test_exponent_one_is_tversky():
    logits, labels = random_case(3)
    focal = losses.create("focal_tversky", exponent=1)(logits, labels)
    torch.testing.assert_close(focal, losses.create("tversky")(logits, labels))


def test_an_exponent_below_one_pulls_harder_on_nearly_solved_samples():
    labels = torch.tensor([[[0, 1], [1, 0]]])

    def ratio(size):
        logits = size * torch.stack([labels == 0, labels == 1], 1).double()
        _, focal = value_and_gradient(losses.create("focal_tversky"), logits, labels)
        _, plain = value_and_gradient(losses.create("tversky"), logits, labels)
        return (focal.abs().sum() / plain.abs().sum()).item()

    assert ratio(6.0) > 2 * ratio(1.0)


@pytest.mark.parametrize("exponent", [0.3, 0.75, 1.0, 1.5])
@pytest.mark.parametrize("size", [12.0, 16.0, 20.0, 40.0, 1e4])
def test_a_solved_sample_costs_nothing_and_has_a_finite_gradient(exponent, size):
    labels = torch.tensor([[[0, 1], [1, 0]]])
    right = size * torch.stack([labels == 0, labels == 1], 1).float()
    value, gradient = value_and_gradient(losses.create("focal_tversky", exponent=exponent), right, labels)
    assert gradient.isfinite().all()
    assert gradient.abs().max() < 1
    if size >= 40:
        assert value.item() == pytest.approx(0, abs=1e-4)


def test_an_empty_target_costs_the_power_of_its_false_positives():
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    value = losses.create("focal_tversky", smooth=1.0)(torch.zeros(1, 2, 8, 8), labels).item()
    assert value == pytest.approx((0.3 * 32 / (0.3 * 32 + 1)) ** 0.75)


@pytest.mark.parametrize("channels", [2, 3])
def test_gradcheck_with_voxel_weights_and_ignored_voxels(channels):
    logits, labels = random_case(channels)
    logits, labels = logits[:, :, :2, :2].contiguous().requires_grad_(), labels[:, :2, :2]
    labels[0, 0] = -1
    weight = torch.rand(labels.shape, dtype=torch.float64)
    loss = losses.create("focal_tversky")
    assert torch.autograd.gradcheck(lambda x: loss(x, labels, voxel_weight=weight), (logits,))


@pytest.mark.parametrize("value", [0, -1, float("inf"), "0.75"])
def test_exponents_that_are_not_positive_are_refused(value):
    with pytest.raises(LossError, match="focal_tversky: exponent must be a number > 0, got"):
        losses.create("focal_tversky", exponent=value)


def test_the_parameters_of_tversky_are_checked_under_its_own_name():
    with pytest.raises(LossError, match="focal_tversky: fp_weight must be a number >= 0"):
        losses.create("focal_tversky", fp_weight=-1)
