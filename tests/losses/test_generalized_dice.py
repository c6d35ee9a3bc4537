"""Generalised Dice: the definition, MONAI without smoothing, and the weight of absent classes."""

from __future__ import annotations

import pytest
import torch
from monai.losses import GeneralizedDiceLoss

import losses
from losses import LossError


def random_case(channels=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((2, channels, 6, 5, 4), generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 10, (2, 6, 5, 4), generator=generator)  # the background is the most frequent
    return logits, torch.where(labels < channels, labels, 0)


def value_and_gradient(loss, logits, labels):
    leaf = logits.clone().requires_grad_()
    value = loss(leaf, labels)
    value.backward()
    return value.detach(), leaf.grad


def lesion_free():
    """Two samples, the second without foreground."""
    logits, labels = random_case()
    labels[1] = 0
    return logits, labels


@pytest.mark.parametrize("channels", [2, 3, 5])
@pytest.mark.parametrize("batch", [False, True])
def test_value_and_gradient_equal_monai_without_smoothing(channels, batch):
    logits, labels = random_case(channels)
    monai = GeneralizedDiceLoss(softmax=True, to_onehot_y=True, batch=batch, smooth_nr=0, smooth_dr=0)
    value, gradient = value_and_gradient(losses.create("generalized_dice", batch=batch), logits, labels)
    expected, wanted = value_and_gradient(lambda x, y: monai(x, y[:, None]), logits, labels)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


def test_the_largest_finite_weight_is_monais_rule_for_absent_classes():
    logits, labels = lesion_free()
    monai = GeneralizedDiceLoss(softmax=True, to_onehot_y=True, smooth_nr=0, smooth_dr=0)
    value, gradient = value_and_gradient(losses.create("generalized_dice"), logits, labels)
    expected, wanted = value_and_gradient(lambda x, y: monai(x, y[:, None]), logits, labels)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


def test_on_an_empty_target_the_two_rules_are_the_two_documented_values():
    logits, labels = (tensor[1:] for tensor in lesion_free())
    background = logits.softmax(1)[:, 0].sum()
    voxels = labels.numel()
    largest = losses.create("generalized_dice")(logits, labels)
    zero = losses.create("generalized_dice", absent_class_weight="zero")(logits, labels)
    torch.testing.assert_close(largest, 1 - 2 * background / (2 * voxels))
    torch.testing.assert_close(zero, 1 - 2 * background / (background + voxels))


def test_the_absent_class_rule_is_the_loss():
    logits, labels = lesion_free()
    p, g = logits.softmax(1), torch.stack([labels == 0, labels == 1], 1).double()
    overlap, volumes, target = ((p * g).flatten(2).sum(2), (p + g).flatten(2).sum(2), g.flatten(2).sum(2))
    huge = 1 / (target + 1e-10).square()  # SegLossOdyssey, LIVIAETS: an absent class decides alone
    absent_decides = (1 - 2 * (huge * overlap).sum(1) / (huge * volumes).sum(1)).mean()
    largest, zero = (
        losses.create("generalized_dice", absent_class_weight=rule)(logits, labels)
        for rule in ("largest_finite", "zero")
    )
    assert absent_decides - largest > 0.1
    assert abs(largest - zero) > 0.01


def test_monais_smoothing_decides_for_large_lesions_and_ours_has_none():
    labels = torch.zeros(1, 64, 64, dtype=torch.long)
    labels[:, :32] = 1
    logits = torch.zeros(1, 2, 64, 64, dtype=torch.float64)  # p = 1/2 everywhere
    monai = GeneralizedDiceLoss(softmax=True, to_onehot_y=True)
    assert losses.create("generalized_dice")(logits, labels).item() == pytest.approx(0.5)
    assert monai(logits, labels[:, None]).item() == pytest.approx(0.5, abs=0.02)
    tiled = logits.repeat(1, 1, 24, 24), labels.repeat(1, 24, 24)
    assert losses.create("generalized_dice")(*tiled).item() == pytest.approx(0.5)
    assert monai(tiled[0], tiled[1][:, None]).item() < 0.15


def test_with_a_rare_foreground_it_is_nearly_dice():
    logits, labels = random_case()
    labels[:] = 0
    labels[:, 2, 2, 2] = 1
    dice = losses.create("dice", smooth=0)(logits, labels)
    torch.testing.assert_close(losses.create("generalized_dice")(logits, labels), dice, rtol=0.02, atol=0)


def test_a_perfect_mask_is_zero():
    _, labels = random_case()
    right = 60.0 * torch.stack([labels == 0, labels == 1], 1).float()
    assert losses.create("generalized_dice")(right, labels).item() == pytest.approx(0, abs=1e-6)


def test_volumes_of_whole_scans_do_not_overflow():
    labels = torch.zeros(1, 64, 64, dtype=torch.long)
    labels[0, 0, 0] = 1
    weight = torch.full(labels.shape, 1e20)
    value = losses.create("generalized_dice")(torch.zeros(1, 2, 64, 64), labels, voxel_weight=weight)
    assert value.isfinite()


@pytest.mark.parametrize("rule", ["largest_finite", "zero"])
@pytest.mark.parametrize("channels", [2, 3])
def test_gradcheck(rule, channels):
    logits, labels = random_case(channels)
    logits, labels = logits[:, :, :2, :2].contiguous().requires_grad_(), labels[:, :2, :2]
    labels[0, 0] = -1
    weight = torch.rand(labels.shape, dtype=torch.float64)
    loss = losses.create("generalized_dice", absent_class_weight=rule)
    assert torch.autograd.gradcheck(lambda x: loss(x, labels, voxel_weight=weight), (logits,))


@pytest.mark.parametrize("value", ["one", None, 0])
def test_another_rule_is_refused(value):
    with pytest.raises(LossError, match="absent_class_weight must be 'largest_finite' or 'zero', got"):
        losses.create("generalized_dice", absent_class_weight=value)
