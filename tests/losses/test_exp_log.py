"""Exponential-logarithmic loss: the paper's formula, finite slopes, frequencies, and the variant under its name."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

import losses
from losses import LossError, Statistics

FREQUENCIES = {2: (0.9, 0.1), 3: (0.9, 0.07, 0.03)}


def random_case(channels=2, seed=0, lowest=-1):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn((2, channels, 4, 5, 6), generator=generator, dtype=torch.float64)
    return logits, torch.randint(lowest, channels, (2, 4, 5, 6), generator=generator)


def value_and_gradient(loss, logits, labels):
    leaf = logits.clone().requires_grad_()
    value = loss(leaf, labels)
    value.backward()
    return value.detach(), leaf.grad


def prepared(channels=2, **parameters):
    loss = losses.create("exp_log", **parameters)
    loss.prepare(Statistics(FREQUENCIES[channels]))
    return loss


def definition(logits, labels, dice_weight=0.8, cross_entropy_weight=0.2, exponent=0.3, smooth=1.0):
    channels = logits.shape[1]
    valid = (labels >= 0)[:, None]
    p = logits.softmax(1) * valid
    g = F.one_hot(labels.clamp(min=0), channels).movedim(-1, 1) * valid
    dice = (2 * (p * g).flatten(2).sum(2) + smooth) / ((p + g).flatten(2).sum(2) + smooth)
    weight = torch.tensor([math.sqrt(1 / f) for f in FREQUENCIES[channels]], dtype=p.dtype)
    of_true = (logits.log_softmax(1) * g).sum(1)[labels >= 0]
    costs = weight[labels[labels >= 0]] * (-of_true) ** exponent
    return dice_weight * ((-dice.log()) ** exponent).mean() + cross_entropy_weight * costs.mean()


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize(
    "parameters",
    [{}, {"exponent": 1.0}, {"exponent": 2.0}, {"smooth": 1e-3}, {"dice_weight": 0.0, "cross_entropy_weight": 1.0}],
    ids=str,
)
def test_value_and_gradient_equal_the_definition(channels, parameters):
    logits, labels = random_case(channels)
    value, gradient = value_and_gradient(prepared(channels, **parameters), logits, labels)
    expected, wanted = value_and_gradient(lambda x, y: definition(x, y, **parameters), logits, labels)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


def test_the_weights_are_the_square_roots_of_inverse_frequencies_and_can_be_read():
    loss = losses.create("exp_log")
    assert loss.weights is None
    loss.prepare(Statistics((0.96, 0.04)))
    assert loss.weights == pytest.approx((1.0206, 5.0), abs=1e-4)


def test_the_logarithm_is_taken_per_class_and_the_cross_entropy_has_a_power():
    logits, labels = random_case(lowest=0)
    p, g = logits.softmax(1)[:, 1].flatten(1), labels.flatten(1)
    dice = (2 * (p * g).sum(1) + 1e-5) / (p.sum(1) + g.sum(1) + 1e-5)
    other = 0.8 * (-dice.mean().log()) ** 0.3 + 0.2 * F.cross_entropy(logits, labels)  # SegLossOdyssey, weights 1
    assert abs(prepared()(logits, labels) - other) > 0.05


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("size", [10.0, 14.0, 17.0, 30.0, 1e4])
def test_solved_voxels_have_finite_slopes_and_in_the_end_cost_nothing(channels, size):
    labels = torch.tensor([[[0, 1], [1, 0]]])
    right = size * F.one_hot(labels, channels).movedim(-1, 1).float()
    value, gradient = value_and_gradient(prepared(channels), right, labels)
    assert gradient.isfinite().all()
    assert gradient.abs().max() < 2
    if size >= 30 and channels == 2:
        assert value.item() == pytest.approx(0, abs=1e-5)


def test_an_empty_target_counts_false_positives_by_their_logarithm():
    loss = prepared(cross_entropy_weight=0.0, dice_weight=1.0, exponent=1.0)
    value = loss(torch.zeros(1, 2, 8, 8), torch.zeros(1, 8, 8, dtype=torch.long)).item()
    background = -math.log((2 * 32 + 1) / (32 + 64 + 1))
    assert value == pytest.approx((background + math.log(32 + 1)) / 2)


def test_nothing_to_look_at_costs_nothing():
    logits, labels = random_case()
    value, gradient = value_and_gradient(prepared(), logits, torch.full_like(labels, -1))
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize("channels", [2, 3])
def test_gradcheck_with_voxel_weights(channels):
    logits, labels = random_case(channels)
    logits, labels = logits[:, :, :2, :2].contiguous().requires_grad_(), labels[:, :2, :2]
    weight = torch.rand(labels.shape, dtype=torch.float64) + 0.1
    loss = prepared(channels)
    assert torch.autograd.gradcheck(lambda x: loss(x, labels, voxel_weight=weight), (logits,))


def test_it_asks_for_frequencies_before_use():
    with pytest.raises(LossError, match=r"exp_log: needs the class frequencies: call prepare\("):
        losses.create("exp_log")(*random_case())


def test_frequencies_of_another_number_of_classes_are_refused_with_the_shape():
    with pytest.raises(LossError, match=r"exp_log: 2 class weights for logits of 3 classes, shape \(2, 3, 4, 5, 6\)"):
        prepared(2)(*random_case(3))


def test_a_class_that_the_training_set_lacks_is_refused():
    with pytest.raises(LossError, match="exp_log: class 1 has no voxel in the training set"):
        losses.create("exp_log").prepare(Statistics((1.0, 0.0)))


@pytest.mark.parametrize(
    ("parameter", "domain"),
    [("dice_weight", ">= 0"), ("cross_entropy_weight", ">= 0"), ("exponent", "> 0"), ("smooth", "> 0")],
)
def test_parameters_outside_their_domain_are_refused(parameter, domain):
    with pytest.raises(LossError, match=f"exp_log: {parameter} must be a number {domain}, got -0.5"):
        losses.create("exp_log", **{parameter: -0.5})


def test_two_zero_weights_are_refused():
    with pytest.raises(LossError, match="both 0"):
        losses.create("exp_log", dice_weight=0, cross_entropy_weight=0)
