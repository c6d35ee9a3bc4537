"""Frequency-weighted Dice against the authors' two-channel formula."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import losses
from losses import LossError


def random_case(channels=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((2, channels, 4, 5, 6), generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3 * channels, (2, 4, 5, 6), generator=generator)
    return logits, torch.where(labels < channels, labels, 0)


def published(logits, labels, smooth=1e-5):
    """1 − (w_bg·D_bg + w_fg·D_fg), w_bg the batch's share of foreground, sums over the batch."""
    p = logits.softmax(1)
    g = labels.to(p.dtype)
    scores = [(2 * (a * b).sum() + smooth) / (a.sum() + b.sum() + smooth) for a, b in ((p[:, 0], 1 - g), (p[:, 1], g))]
    share = g.mean()
    return 1 - (share * scores[0] + (1 - share) * scores[1])


def value_and_gradient(loss, logits, labels):
    leaf = logits.clone().requires_grad_()
    value = loss(leaf, labels)
    value.backward()
    return value.detach(), leaf.grad


@pytest.mark.parametrize("smooth", [1e-5, 1.0])
def test_value_and_gradient_equal_the_published_code(smooth):
    logits, labels = random_case()
    value, gradient = value_and_gradient(losses.create("frequency_weighted_dice", smooth=smooth), logits, labels)
    expected, wanted = value_and_gradient(lambda x, y: published(x, y, smooth), logits, labels)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


def test_for_more_classes_each_is_weighted_by_the_frequency_of_the_others():
    logits, labels = random_case(4)
    p, g = logits.softmax(1), F.one_hot(labels, 4).movedim(-1, 1).double()
    overlap, predicted, target = ((t.transpose(0, 1).flatten(1).sum(1)) for t in (p * g, p, g))
    weight = (1 - target / target.sum()) / 3
    assert weight.sum() == pytest.approx(1)
    expected = 1 - (weight * (2 * overlap + 1e-5) / (predicted + target + 1e-5)).sum()
    torch.testing.assert_close(losses.create("frequency_weighted_dice")(logits, labels), expected)


def test_it_is_not_the_plain_dice_but_near_the_batch_dice_where_lesions_are_small():
    logits, labels = random_case()
    plain = losses.create("dice", batch=True)
    assert abs(losses.create("frequency_weighted_dice")(logits, labels) - plain(logits, labels)) > 0.01
    labels[:] = 0
    labels[:, 1, 1, 1] = 1
    torch.testing.assert_close(
        losses.create("frequency_weighted_dice")(logits, labels), plain(logits, labels), rtol=0.01, atol=0
    )


def test_an_empty_target_leaves_the_foreground_alone():
    value = losses.create("frequency_weighted_dice", smooth=1.0)(
        torch.zeros(1, 2, 8, 8), torch.zeros(1, 8, 8, dtype=torch.long)
    )
    assert value.item() == pytest.approx(32 / 33)


def test_ignored_voxels_do_not_count_in_the_frequencies():
    logits, labels = random_case()
    cropped = losses.create("frequency_weighted_dice")(logits[:, :, :3], labels[:, :3])
    labels[:, 3:] = -1
    torch.testing.assert_close(losses.create("frequency_weighted_dice")(logits, labels), cropped)


def test_nothing_to_look_at_costs_nothing():
    logits, labels = random_case()
    value, gradient = value_and_gradient(losses.create("frequency_weighted_dice"), logits, torch.full_like(labels, -1))
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize("channels", [2, 3])
def test_gradcheck_with_voxel_weights(channels):
    logits, labels = random_case(channels)
    logits, labels = logits[:, :, :2, :2].contiguous().requires_grad_(), labels[:, :2, :2]
    weight = torch.rand(labels.shape, dtype=torch.float64)
    loss = losses.create("frequency_weighted_dice")
    assert torch.autograd.gradcheck(lambda x: loss(x, labels, voxel_weight=weight), (logits,))


def test_smooth_outside_its_domain_is_refused():
    with pytest.raises(LossError, match="frequency_weighted_dice: smooth must be a number >= 0, got -1"):
        losses.create("frequency_weighted_dice", smooth=-1)
