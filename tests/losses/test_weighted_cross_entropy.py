"""Weighted cross entropy: each rule against its definition, what is printed, what is refused."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import losses
from losses import LossError, Statistics

FREQUENCIES = {2: (0.96, 0.04), 3: (0.9, 0.06, 0.04)}


def random_case(channels=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn((2, channels, 6, 5, 4), generator=generator, dtype=torch.float64)
    return logits, torch.randint(-1, channels, (2, 6, 5, 4), generator=generator)


def value_and_gradient(loss, *arguments):
    leaf = arguments[0].clone().requires_grad_()
    value = loss(leaf, *arguments[1:])
    value.backward()
    return value.detach(), leaf.grad


def prepared(weight, channels=2):
    loss = losses.create("weighted_cross_entropy", weight=weight)
    loss.prepare(Statistics(FREQUENCIES[channels]))
    return loss


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("weight", ["inverse_sqrt", "inverse", (1.0, 8.0, 0.5)])
def test_value_and_gradient_equal_torchs_weighted_mean(channels, weight):
    weight = weight if isinstance(weight, str) else weight[:channels]
    logits, labels = random_case(channels)
    loss = prepared(weight, channels)
    listed = torch.tensor(loss.weights, dtype=torch.float64)
    value, gradient = value_and_gradient(loss, logits, labels)
    expected, wanted = value_and_gradient(lambda x, y: F.cross_entropy(x, y, listed, ignore_index=-1), logits, labels)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


def test_the_mean_is_over_weights_and_not_over_voxels():
    logits, labels = random_case()
    costs = F.cross_entropy(logits, labels, torch.tensor([1.0, 8.0]).double(), ignore_index=-1, reduction="none")
    value = losses.create("weighted_cross_entropy", weight=[1, 8])(logits, labels)
    assert abs(value - costs.sum() / (labels >= 0).sum()) > 0.5


def test_the_scale_of_a_list_does_not_matter():
    case = random_case()
    one, other = (losses.create("weighted_cross_entropy", weight=w)(*case) for w in ([1, 8], [0.125, 1]))
    torch.testing.assert_close(one, other)


def test_frequencies_become_weights_that_can_be_read():
    assert prepared("inverse").weights == pytest.approx((1 / 0.96, 25.0))
    assert prepared("inverse_sqrt").weights == pytest.approx((0.96**-0.5, 5.0))
    assert prepared([1, 2]).weights == (1.0, 2.0)
    assert prepared("adaptive").weights is None


def sudre(logits, labels):
    """−(1/N)·Σ[w·g·ln p + (1 − g)·ln(1 − p)], w = (N − Σp) / Σp over the batch."""
    p, g = logits.softmax(1)[:, 1][labels >= 0], labels[labels >= 0]
    w = (g.numel() - p.sum()) / p.sum()
    return -(w * g * p.log() + (1 - g) * (1 - p).log()).mean()


def test_the_adaptive_rule_is_sudres_with_a_gradient_through_the_weight():
    logits, labels = random_case()
    value, gradient = value_and_gradient(prepared("adaptive"), logits, labels)
    expected, wanted = value_and_gradient(sudre, logits, labels)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


def test_the_adaptive_weight_counts_less_than_one_predicted_voxel_as_one():
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    labels[0, 1, 1] = 1
    logits = torch.stack([torch.zeros(1, 4, 4), torch.full((1, 4, 4), -50.0)], 1)
    value, gradient = value_and_gradient(prepared("adaptive"), logits, labels)
    assert value.item() == pytest.approx(16 * 50 / 16, rel=1e-4)
    assert gradient.isfinite().all()


def test_the_unet_rule_adds_the_border_map_to_the_class_weight():
    logits, labels = random_case(3)
    border = 10 * torch.rand((2, 2, 6, 5, 4), dtype=torch.float64)
    loss = prepared("unet_border", 3)
    assert loss.required_maps == ("border",)

    def by_hand(x, y):
        weight = (torch.tensor([1 / f for f in FREQUENCIES[3]]).double()[y.clamp(min=0)] + border.amax(1)) * (y >= 0)
        return (weight * F.cross_entropy(x, y, ignore_index=-1, reduction="none")).sum() / weight.sum()

    value, gradient = value_and_gradient(lambda x, y: loss(x, y, {"border": border}), logits, labels)
    expected, wanted = value_and_gradient(by_hand, logits, labels)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


def test_only_the_unet_rule_needs_a_map():
    assert losses.create("weighted_cross_entropy").required_maps == ()
    with pytest.raises(LossError, match="weighted_cross_entropy: needs the target map 'border'"):
        prepared("unet_border")(*random_case())


@pytest.mark.parametrize("weight", ["inverse_sqrt", "adaptive", "unet_border", (1.0, 5.0)])
def test_voxel_weights_multiply_costs_and_not_the_divisor(weight):
    logits, labels = random_case()
    loss, maps = prepared(weight), {"border": torch.rand((2, 1, 6, 5, 4), dtype=torch.float64)}
    twice = torch.full(labels.shape, 2.0, dtype=torch.float64)
    torch.testing.assert_close(loss(logits, labels, maps, voxel_weight=twice), 2 * loss(logits, labels, maps))


@pytest.mark.parametrize("weight", ["inverse_sqrt", "adaptive", "unet_border", (1.0, 5.0, 2.0)])
@pytest.mark.parametrize("channels", [2, 3])
def test_gradcheck_with_voxel_weights(weight, channels):
    logits, labels = random_case(channels)
    logits, labels = logits[:, :, :2, :2].contiguous().requires_grad_(), labels[:, :2, :2]
    voxel_weight = torch.rand(labels.shape, dtype=torch.float64)
    maps = {"border": torch.rand((2, channels - 1, *labels.shape[1:]), dtype=torch.float64)}
    loss = prepared(weight if isinstance(weight, str) else weight[:channels], channels)
    assert torch.autograd.gradcheck(lambda x: loss(x, labels, maps, voxel_weight=voxel_weight), (logits,))


@pytest.mark.parametrize("weight", ["inverse_sqrt", "adaptive", "unet_border", (0.0, 5.0)])
def test_an_empty_target_and_nothing_at_all_have_finite_values(weight):
    logits, labels = random_case()
    maps = {"border": torch.zeros((2, 1, 6, 5, 4), dtype=torch.float64)}
    assert prepared(weight)(logits, torch.zeros_like(labels), maps).isfinite()
    value, gradient = value_and_gradient(prepared(weight), logits, torch.full_like(labels, -1), maps)
    assert value == 0
    assert not gradient.any()


def test_the_rules_differ_from_each_other_and_from_cross_entropy():
    case = random_case()
    values = [prepared(rule)(*case).item() for rule in ("inverse_sqrt", "inverse", "adaptive")]
    values.append(losses.create("cross_entropy")(*case).item())
    assert len({round(value, 3) for value in values}) == 4


def test_a_list_of_the_wrong_length_is_named_with_the_shape_at_the_first_call():
    loss = losses.create("weighted_cross_entropy", weight=[1, 2, 3])
    with pytest.raises(
        LossError,
        match=r"weighted_cross_entropy: 3 class weights for logits of 2 classes, shape \(2, 2, 6, 5, 4\); give one",
    ):
        loss(*random_case())


def test_frequencies_are_asked_for_and_must_not_be_zero():
    loss = losses.create("weighted_cross_entropy")
    with pytest.raises(LossError, match="weighted_cross_entropy: needs the class frequencies"):
        loss(*random_case())
    with pytest.raises(LossError, match="weighted_cross_entropy: class 1, 2 has no voxel in the training set"):
        loss.prepare(Statistics((1.0, 0.0, 0.0)))


@pytest.mark.parametrize("weight", ["inverse_squared", [1.0], 3, None])
def test_other_weights_are_refused_with_the_rules(weight):
    with pytest.raises(LossError, match="must be one of inverse_sqrt, inverse, adaptive, unet_border or a list"):
        losses.create("weighted_cross_entropy", weight=weight)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, -2], r"weight\[1\] must be a number >= 0, got -2"),
        ([0, 0], "every weight is 0"),
        ([1, "2"], r"weight\[1\]"),
    ],
)
def test_lists_outside_their_domain_are_refused(weight, message):
    with pytest.raises(LossError, match=f"weighted_cross_entropy: {message}"):
        losses.create("weighted_cross_entropy", weight=weight)


def test_whole_numbers_and_floats_in_a_list_are_one_loss():
    specification = {"name": "weighted_cross_entropy", "weight": (1, 10)}
    assert losses.resolve(specification) == {"name": "weighted_cross_entropy", "weight": (1.0, 10.0)}
