"""Tversky: which weight prices which error, against MONAI, and its identity with Dice."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.losses import TverskyLoss

import losses
from losses import LossError


def random_case(channels=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((2, channels, 6, 5, 4), generator=generator, dtype=torch.float64)
    return logits, torch.randint(0, channels, (2, 6, 5, 4), generator=generator)


def value_and_gradient(loss, logits, labels):
    leaf = logits.clone().requires_grad_()
    value = loss(leaf, labels)
    value.backward()
    return value.detach(), leaf.grad


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("weights", [(0.3, 0.7), (0.5, 0.5), (1.0, 1.0), (0.0, 1.0)])
def test_value_and_gradient_equal_monai(channels, batch, weights):
    logits, labels = random_case(channels)
    ours = losses.create("tversky", fp_weight=weights[0], fn_weight=weights[1], batch=batch)
    monai = TverskyLoss(
        softmax=True, to_onehot_y=True, include_background=False, batch=batch,
        alpha=weights[0], beta=weights[1], smooth_nr=1e-5, smooth_dr=1e-5,
    )  # fmt: skip
    value, gradient = value_and_gradient(ours, logits, labels)
    expected, wanted = value_and_gradient(lambda x, y: monai(x, y[:, None]), logits, labels)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


def certain(mask):
    return 50.0 * torch.stack([mask == 0, mask == 1], 1)


def test_fp_weight_prices_false_positives_and_fn_weight_false_negatives():
    target = torch.tensor([[[1, 1, 0, 0]]])
    too_much, too_little = torch.tensor([[[1, 1, 1, 1]]]), torch.tensor([[[1, 0, 0, 0]]])
    loss = losses.create("tversky", fp_weight=0.2, fn_weight=0.6, smooth=0.0)
    assert loss(certain(too_much), target).item() == pytest.approx(1 - 2 / (2 + 0.2 * 2))
    assert loss(certain(too_little), target).item() == pytest.approx(1 - 1 / (1 + 0.6 * 1))


def test_the_default_is_harder_on_misses_as_published():
    parameters = losses.describe("tversky").parameters
    assert (parameters["fp_weight"].default, parameters["fn_weight"].default) == (0.3, 0.7)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), smooth=st.sampled_from([0.0, 1e-5, 1.0]))
def test_equal_halves_are_dice_with_twice_the_smoothing(seed, smooth):
    logits, labels = random_case(seed=seed)
    tversky = losses.create("tversky", fp_weight=0.5, fn_weight=0.5, smooth=smooth)
    torch.testing.assert_close(
        tversky(logits, labels), losses.create("dice", smooth=2 * smooth)(logits, labels), rtol=1e-9, atol=1e-12
    )


def test_it_differs_from_dice_where_errors_are_unequal():
    logits, labels = random_case()
    assert not torch.isclose(losses.create("tversky")(logits, labels), losses.create("dice")(logits, labels))


def test_a_ratio_pooled_over_both_channels_of_a_softmax_ignores_the_split_and_ours_does_not():
    logits, labels = random_case()
    p, g = logits.softmax(1), torch.stack([labels == 0, labels == 1], 1)
    tp, fp, fn = (p * g).sum(), (p * ~g).sum(), ((1 - p) * g).sum()
    splits = [(0.2, 0.8), (0.7, 0.3)]
    pooled = [1 - tp / (tp + fp_weight * fp + fn_weight * fn) for fp_weight, fn_weight in splits]
    torch.testing.assert_close(pooled[0], pooled[1])
    ours = [losses.create("tversky", fp_weight=a, fn_weight=b)(logits, labels).item() for a, b in splits]
    assert abs(ours[0] - ours[1]) > 0.005


def test_an_empty_target_costs_false_positives_by_their_weight():
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    value = losses.create("tversky", fp_weight=0.3, smooth=1.0)(torch.zeros(1, 2, 8, 8), labels).item()
    assert value == pytest.approx(0.3 * 32 / (0.3 * 32 + 1))


@pytest.mark.parametrize("parameter", ["fp_weight", "fn_weight", "smooth"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), "0.3", True])
def test_parameters_outside_their_domain_are_refused(parameter, value):
    with pytest.raises(LossError, match=f"tversky: {parameter} must be a number >= 0, got"):
        losses.create("tversky", **{parameter: value})


def test_two_zero_weights_are_refused():
    with pytest.raises(LossError, match="both 0"):
        losses.create("tversky", fp_weight=0, fn_weight=0)
