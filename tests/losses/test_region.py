"""What all region losses share: reduction, pooling and the one policy for what is empty."""

from __future__ import annotations

import pytest
import torch

import losses
from losses import LossError
from losses.region import bounded_power, ratio

REGION = ["dice", "tversky", "focal_tversky"]
POOLED = [*REGION, "generalized_dice", "asymmetric_similarity"]


def random_case(channels=2, batch=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((batch, channels, 4, 5, 6), generator=generator, dtype=torch.float64)
    labels = torch.randint(0, channels, (batch, 4, 5, 6), generator=generator)
    return logits, labels


@pytest.mark.parametrize("name", POOLED)
@pytest.mark.parametrize("channels", [2, 3])
def test_the_loss_of_a_batch_is_the_mean_over_its_samples(name, channels):
    logits, labels = random_case(channels)
    loss = losses.create(name)
    alone = torch.stack([loss(logits[b : b + 1], labels[b : b + 1]) for b in range(3)])
    torch.testing.assert_close(loss(logits, labels), alone.mean())


@pytest.mark.parametrize("name", POOLED)
def test_pooling_makes_one_sample_of_the_batch(name):
    logits, labels = random_case()
    long_logits = logits.movedim(0, 1).reshape(1, 2, 12, 5, 6)
    long_labels = labels.reshape(1, 12, 5, 6)
    pooled = losses.create(name, batch=True)(logits, labels)
    torch.testing.assert_close(pooled, losses.create(name)(long_logits, long_labels))
    assert not torch.isclose(pooled, losses.create(name)(logits, labels))


@pytest.mark.parametrize("name", POOLED)
@pytest.mark.parametrize("batch", [False, True])
def test_a_sample_that_is_ignored_whole_leaves_the_mean(name, batch):
    logits, labels = random_case()
    loss = losses.create(name, batch=batch)
    two = loss(logits[:2], labels[:2])
    labels[2] = -1
    torch.testing.assert_close(loss(logits, labels), two)


@pytest.mark.parametrize("name", POOLED)
def test_a_sample_without_weight_leaves_the_mean(name):
    logits, labels = random_case()
    weight = torch.ones(labels.shape, dtype=torch.float64)
    weight[0] = 0
    loss = losses.create(name)
    torch.testing.assert_close(loss(logits, labels, voxel_weight=weight), loss(logits[1:], labels[1:]))


@pytest.mark.parametrize("name", REGION)
@pytest.mark.parametrize("smooth", [0.0, 1e-5, 1.0])
def test_nothing_to_look_at_costs_nothing(name, smooth):
    logits, labels = random_case()
    logits.requires_grad_()
    value = losses.create(name, smooth=smooth)(logits, torch.full_like(labels, -1))
    value.backward()
    assert value == 0
    assert not logits.grad.any()


@pytest.mark.parametrize("name", ["dice", "tversky"])
def test_an_absent_class_stays_in_the_mean_and_costs_its_false_positives(name):
    logits, labels = random_case(channels=3)
    labels[labels == 2] = 0
    loss = losses.create(name)
    class_one = losses.create(name)(
        torch.stack([torch.logsumexp(logits[:, [0, 2]], 1), logits[:, 1]], 1), (labels == 1).long()
    )
    torch.testing.assert_close(loss(logits, labels), (class_one + 1) / 2, atol=1e-4, rtol=0)


def test_nothing_over_nothing_is_a_perfect_score_with_a_zero_gradient():
    zero = torch.zeros(2, 1, requires_grad=True)
    score = ratio(zero, zero, 0)
    score.sum().backward()
    assert score.tolist() == [[1.0], [1.0]]
    assert not zero.grad.any()


def test_without_smoothing_an_ordinary_ratio_is_untouched():
    assert ratio(torch.tensor([1.0]), torch.tensor([4.0]), 0).item() == 0.25


@pytest.mark.parametrize("name", POOLED)
def test_the_foreground_weight_zero_voxels_have_no_gradient(name):
    logits, labels = random_case()
    logits.requires_grad_()
    weight = torch.rand(labels.shape, dtype=torch.float64)
    weight[:, :2] = 0
    losses.create(name)(logits, labels, voxel_weight=weight).backward()
    assert not logits.grad[:, :, :2].any()
    assert logits.grad[:, :, 2:].all()


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_flags_are_booleans(value):
    with pytest.raises(LossError, match=f"dice: batch must be true or false, got {value!r}"):
        losses.create("dice", batch=value)


@pytest.mark.parametrize("exponent", [0.3, 0.75, 1.0, 2.0])
def test_a_bounded_power_is_the_power_down_to_a_millionth_and_has_finite_slopes(exponent):
    x = torch.tensor([1.0, 0.5, 1e-3, 1e-6], dtype=torch.float64)
    torch.testing.assert_close(bounded_power(x, exponent), x**exponent)
    near = torch.tensor([0.0, 1e-9, 5e-7, 1e-6], dtype=torch.float64, requires_grad=True)
    bounded_power(near, exponent).sum().backward()
    assert near.grad.isfinite().all()
    assert bounded_power(near, exponent)[0] == 0
    assert (bounded_power(near, exponent).diff() > 0).all()
    assert bounded_power(torch.tensor(-1e-8), exponent) == 0
