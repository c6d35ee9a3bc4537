"""Soft Dice: values by hand, against MONAI, on empty targets."""

from __future__ import annotations

import pytest
import torch
from monai.losses import DiceLoss

import losses
from losses import LossError


def random_case(channels, dims=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (2, *(6, 5, 4)[:dims])
    logits = torch.randn((2, channels, *shape[1:]), generator=generator, dtype=torch.float64)
    return logits, torch.randint(0, channels, shape, generator=generator)


def value_and_gradient(loss, logits, labels):
    leaf = logits.clone().requires_grad_()
    value = loss(leaf, labels)
    value.backward()
    return value.detach(), leaf.grad


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("include_background", [False, True])
@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("smooth", [1e-5, 1.0])
def test_value_and_gradient_equal_monai(channels, dims, include_background, batch, squared, smooth):
    logits, labels = random_case(channels, dims)
    ours = losses.create("dice", include_background=include_background, batch=batch, squared=squared, smooth=smooth)
    monai = DiceLoss(
        softmax=True, to_onehot_y=True, include_background=include_background, batch=batch,
        squared_pred=squared, smooth_nr=smooth, smooth_dr=smooth,
    )  # fmt: skip
    value, gradient = value_and_gradient(ours, logits, labels)
    expected, wanted = value_and_gradient(lambda x, y: monai(x, y[:, None]), logits, labels)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


def test_a_hand_computed_value():
    # p of the foreground is 1/2 everywhere, 2 of 4 voxels are foreground: 1 - 2·1 / (2 + 2) without smoothing.
    logits, labels = torch.zeros(1, 2, 2, 2), torch.tensor([[[0, 1], [1, 0]]])
    assert losses.create("dice", smooth=0.0)(logits, labels).item() == pytest.approx(0.5)
    assert losses.create("dice", smooth=0.0, squared=True)(logits, labels).item() == pytest.approx(1 - 2 / 3)
    assert losses.create("dice", smooth=1.0)(logits, labels).item() == pytest.approx(1 - 3 / 5)


def test_a_perfect_mask_is_zero_and_its_opposite_one():
    labels = torch.tensor([[[0, 1], [1, 0]]])
    right = 50.0 * torch.stack([labels == 0, labels == 1], 1)
    assert losses.create("dice")(right, labels).item() == pytest.approx(0, abs=1e-6)
    assert losses.create("dice")(-right, labels).item() == pytest.approx(1, abs=1e-4)


def test_an_empty_target_costs_any_false_positive_nearly_one():
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    value = losses.create("dice")(torch.zeros(1, 2, 8, 8), labels).item()
    assert value == pytest.approx(32 / (32 + 1e-5))
    assert losses.create("dice", smooth=1.0)(torch.zeros(1, 2, 8, 8), labels).item() == pytest.approx(32 / 33)


def test_an_empty_target_and_an_empty_prediction_cost_nothing():
    logits = torch.stack([torch.full((1, 8, 8), 60.0), torch.full((1, 8, 8), -60.0)], 1)
    assert losses.create("dice")(logits, torch.zeros(1, 8, 8, dtype=torch.long)).item() == 0


def test_ignored_voxels_are_as_good_as_absent():
    logits, labels = random_case(3)
    cropped = losses.create("dice")(logits[:, :, :4], labels[:, :4])
    labels[:, 4:] = -1
    torch.testing.assert_close(losses.create("dice")(logits, labels), cropped)


@pytest.mark.parametrize("smooth", [-1e-9, float("nan"), float("inf"), "1e-5", True, None])
def test_smooth_outside_its_domain_is_refused(smooth):
    with pytest.raises(LossError, match=r"dice: smooth must be a number >= 0, got"):
        losses.create("dice", smooth=smooth)
