"""MapDice: the documented form, its minimiser without a core, what its published code does, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import losses
from losses import LossError, target_maps


def random_case(channels=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (2, 4, 5, 6)
    logits = torch.randn((2, channels, *shape[1:]), generator=generator, dtype=torch.float64)
    labels = torch.randint(0, channels, shape, generator=generator)
    inside = torch.stack([labels == c for c in range(1, channels)], 1)
    return logits, labels, torch.rand(inside.shape, generator=generator, dtype=torch.float64) * inside


def value_and_gradient(loss, logits):
    leaf = logits.clone().requires_grad_()
    value = loss(leaf)
    value.backward()
    return value.detach(), leaf.grad


def ball(radius, centre, size=41):
    z, y, x = np.ogrid[:size, :size, :size]
    return (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= radius**2


def certain(mask):
    return 60.0 * torch.stack([mask == 0, mask == 1], 1).double()


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("batch", [True, False])
def test_value_and_gradient_equal_the_definition(channels, batch):
    logits, labels, phi = random_case(channels)

    def definition(x):
        p = x.softmax(1)[:, 1:]
        axes = (0, 2, 3, 4) if batch else (2, 3, 4)
        return (1 - (2 * (p * phi).sum(axes) + 1e-3) / ((p + phi).sum(axes) + 1e-3)).mean()

    loss = losses.create("map_dice", batch=batch, smooth=1e-3)
    value, gradient = value_and_gradient(lambda x: loss(x, labels, {"norm_inverse": phi}), logits)
    expected, wanted = value_and_gradient(definition, logits)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wanted)


def test_with_the_mask_as_its_map_it_is_batch_dice():
    logits, labels, phi = random_case()
    maps = {"norm_inverse": (phi > 0).double()}
    labels = (phi[:, 0] > 0).long()
    dice = losses.create("dice", batch=True)(logits, labels)
    torch.testing.assert_close(losses.create("map_dice")(logits, labels, maps), dice)


def test_a_perfect_mask_is_not_zero_and_the_mask_is_not_the_minimiser():
    mask = ball(8, (20, 20, 20))
    phi = target_maps.compute("norm_inverse", mask)
    labels, maps = torch.from_numpy(mask).long()[None], {"norm_inverse": torch.from_numpy(phi)[None, None]}
    loss = losses.create("map_dice")
    perfect = loss(certain(labels), labels, maps).item()
    assert perfect == pytest.approx((1 - phi[mask].mean()) / (1 + phi[mask].mean()), abs=1e-6)
    assert perfect == pytest.approx(0.0913, abs=1e-4)
    ordered = np.sort(phi[mask])  # a best p is 1 on the voxels above some φ
    kept = np.arange(len(ordered), 0, -1)
    scores = 2 * np.cumsum(ordered[::-1])[::-1] / (kept + phi.sum())
    dropped = int(scores.argmax())
    assert dropped / mask.sum() == pytest.approx(0.0441, abs=1e-4)
    hollow = torch.from_numpy(phi > ordered[dropped - 1]).long()[None]
    assert loss(certain(hollow), labels, maps).item() == pytest.approx(0.0874, abs=1e-4)


def test_each_sample_meets_its_own_map_and_not_those_of_the_others_as_in_the_published_code():
    masks = np.stack([ball(8, (12, 20, 20)), ball(8, (29, 20, 20))])
    phi = torch.from_numpy(np.stack([target_maps.compute("norm_inverse", mask) for mask in masks]))[:, None]
    labels = torch.from_numpy(masks).long()
    union = labels.amax(0).expand_as(labels)

    def published(prediction):
        p = prediction.softmax(1)[:, 1]
        return 1 - (2 * (p * phi).sum() + 1e-5) / (p.sum() + phi.sum() + 1e-5)  # (B, *S)·(B, 1, *S) = (B, B, *S)

    loss = losses.create("map_dice")
    assert published(certain(labels)).item() == pytest.approx(0.0913, abs=1e-3)
    assert published(certain(union)).item() == pytest.approx(-0.1759, abs=1e-3)
    assert loss(certain(union), labels, {"norm_inverse": phi}).item() == pytest.approx(0.4121, abs=1e-3)


def test_a_signed_map_has_no_lower_bound():
    mask = ball(8, (20, 20, 20))
    phi = torch.from_numpy(target_maps.compute("signed_norm_inverse", mask))[None, None]
    labels = torch.from_numpy(mask).long()[None]
    loss = losses.create("map_dice", penalty_map="signed_norm_inverse", allow_signed=True)

    def at(p):
        logits = torch.zeros(1, 2, *mask.shape, dtype=torch.float64)
        logits[:, 1] = torch.logit(torch.tensor(p, dtype=torch.float64))
        return loss(logits, labels, {"signed_norm_inverse": phi}).item()

    assert at(0.1) == pytest.approx(0.74, abs=0.01)
    assert loss(certain(labels), labels, {"signed_norm_inverse": phi}).item() == pytest.approx(1.13, abs=0.01)
    pole = -phi.double().sum().item() / mask.size
    assert min(at(pole - 1e-7), at(pole + 1e-7)) < -1e4


@pytest.mark.parametrize("kind", ["signed_norm_inverse", "signed_distance"])
def test_signed_maps_are_refused_with_the_reason(kind):
    with pytest.raises(LossError, match=f"penalty_map '{kind}' is negative outside lesions, so .* no lower bound"):
        losses.create("map_dice", penalty_map=kind)


@pytest.mark.parametrize("kind", ["distance", "inverse", "norm_inverse"])
def test_every_unsigned_map_is_asked_for_by_its_name(kind):
    assert losses.create("map_dice", penalty_map=kind).required_maps == (kind,)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("norm_inverted", r"unknown target map 'norm_inverted'\. Did you mean 'norm_inverse'"),
        ("lesion_id", "numbers lesions"),
        ("same_as_regressor", "stands for the map of the method's regressor"),
        (3, "must be the name of a target map, got 3"),
    ],
)
def test_maps_that_cannot_weigh_a_dice_are_refused(kind, message):
    with pytest.raises(LossError, match=f"map_dice: penalty_map.*{message}"):
        losses.create("map_dice", penalty_map=kind)


def test_an_empty_target_costs_false_positives():
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    value = losses.create("map_dice", smooth=1.0)(
        torch.zeros(1, 2, 8, 8), labels, {"norm_inverse": torch.zeros(1, 1, 8, 8)}
    )
    assert value.item() == pytest.approx(32 / 33)


def test_what_a_map_says_about_ignored_voxels_does_not_matter():
    logits, labels, phi = random_case()
    loss = losses.create("map_dice")
    cropped = loss(logits[:, :, :2], labels[:, :2], {"norm_inverse": phi[:, :, :2]})
    labels[:, 2:] = -1
    torch.testing.assert_close(loss(logits, labels, {"norm_inverse": phi}), cropped)


@pytest.mark.parametrize("channels", [2, 3])
def test_gradcheck_with_voxel_weights_and_ignored_voxels(channels):
    logits, labels, phi = random_case(channels)
    logits, labels = logits[:, :, :2, :2].contiguous().requires_grad_(), labels[:, :2, :2].clone()
    maps = {"norm_inverse": phi[:, :, :2, :2]}
    labels[0, 0] = -1
    weight = torch.rand(labels.shape, dtype=torch.float64)
    loss = losses.create("map_dice")
    assert torch.autograd.gradcheck(lambda x: loss(x, labels, maps, voxel_weight=weight), (logits,))


def test_half_precision_maps_are_counted_in_float32():
    logits, labels, phi = random_case()
    loss = losses.create("map_dice")
    coarse = loss(logits.float(), labels, {"norm_inverse": phi.half()})
    assert coarse.dtype == torch.float32
    torch.testing.assert_close(coarse.double(), loss(logits, labels, {"norm_inverse": phi}), rtol=1e-3, atol=1e-4)
