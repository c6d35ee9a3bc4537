"""MapDice in numbers: the core it drops, the forms of its published code, what it does to small lesions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import losses
from losses import target_maps


def certain(mask):
    return 60.0 * torch.stack([mask == 0, mask == 1], 1).double()


def ball(radius, margin=3):
    size = 2 * (radius + margin) + 1
    z, y, x = np.ogrid[:size, :size, :size]
    return sum((axis - size // 2) ** 2 for axis in (z, y, x)) <= radius**2


@pytest.mark.parametrize(
    ("radius", "perfect", "best", "dropped"),
    [
        (0, 0.0, 0.0, 0.0),
        (1, 0.0214, 0.0214, 0.0),
        (2, 0.0259, 0.0246, 0.0303),
        (3, 0.0400, 0.0386, 0.0081),
        (5, 0.0700, 0.0684, 0.0369),
        (8, 0.0913, 0.0874, 0.0441),
        (12, 0.1060, 0.1006, 0.0510),
    ],
)
def test_the_larger_a_ball_the_more_of_its_core_map_dice_drops(radius, perfect, best, dropped):
    mask = ball(radius)
    phi = target_maps.compute("norm_inverse", mask)
    maps = {"norm_inverse": torch.from_numpy(phi)[None, None]}
    loss = losses.create("map_dice")

    def cost(prediction):
        return loss(
            certain(torch.from_numpy(prediction).long()[None]), torch.from_numpy(mask).long()[None], maps
        ).item()

    score, kept = 1 - cost(mask), mask
    for _ in range(20):  # φ > F/2, F of what was kept, until nothing changes
        kept = phi > score / 2
        score = 1 - cost(kept)
    assert cost(mask) == pytest.approx(perfect, abs=1e-4)
    assert 1 - score == pytest.approx(best, abs=1e-4)
    assert 1 - kept.sum() / mask.sum() == pytest.approx(dropped, abs=1e-4)


def test_map_dice_summed_over_both_channels_is_a_constant_as_in_three_published_scripts():
    mask = ball(3)
    phi = torch.from_numpy(target_maps.compute("norm_inverse", mask)).double()
    labels, maps = torch.from_numpy(mask).long()[None], {"norm_inverse": phi[None, None]}

    def shadowing(logits):
        p = logits.softmax(1)
        return 1 - 2 * (p * phi).sum() / (p.sum() + phi.sum())

    constant = 1 - 2 * phi.sum() / (mask.size + phi.sum())
    generator = torch.Generator().manual_seed(0)
    ours = []
    for _ in range(3):
        leaf = torch.randn((1, 2, *mask.shape), generator=generator, dtype=torch.float64, requires_grad=True)
        value = shadowing(leaf)
        (gradient,) = torch.autograd.grad(value, leaf)
        assert value.item() == pytest.approx(constant.item(), rel=1e-12)
        assert gradient.abs().max() <= 1e-18
        ours.append(losses.create("map_dice")(3 * leaf, labels, maps).item())
    assert np.ptp(ours) > 1e-3


def test_map_dice_summed_over_classes_rewards_the_truth_with_a_negative_cost():
    """The printed equation: 1 − (D_bg + D_fg), for three maps of the background."""
    mask = np.pad(ball(8), 9)  # 41³
    phi = target_maps.compute("norm_inverse", mask).astype(np.float64)
    outside = target_maps.compute("signed_distance", mask).clip(min=0).astype(np.float64)
    backgrounds = (outside / outside.max(), (outside.max() + 1 - outside) / outside.max() * ~mask, ~mask)
    of_lesion = 2 * phi.sum() / (mask.sum() + phi.sum())
    sums = [1 - of_lesion - 2 * z.sum() / ((~mask).sum() + z.sum()) for z in backgrounds]
    assert mask.shape == (41, 41, 41)
    assert sums == pytest.approx([-0.54, -0.64, -0.91], abs=0.01)
    assert [(1 + total) / 2 for total in sums] == pytest.approx([0.232, 0.178, 0.046], abs=0.005)
    maps = {"norm_inverse": torch.from_numpy(phi)[None, None]}
    labels = torch.from_numpy(mask).long()[None]
    assert losses.create("map_dice")(certain(labels), labels, maps).item() == pytest.approx(1 - of_lesion, abs=1e-6)


def test_map_dice_does_not_make_small_lesions_weigh_much_more():
    """Three balls of radius 2 beside one of radius 12: missing them costs .0076, and .0069 under Dice."""
    mask = np.zeros((40, 40, 60), bool)
    mask[2:33, 2:33, 2:33] = ball(12)
    small = np.zeros_like(mask)
    for z, y in ((0, 0), (15, 15), (27, 27)):
        small[z : z + 11, y : y + 11, 45:56] = ball(2)
    found, labels = torch.from_numpy(mask).long()[None], torch.from_numpy(mask | small).long()[None]
    maps = {"norm_inverse": torch.from_numpy(target_maps.compute("norm_inverse", mask | small))[None, None]}
    missed = {
        name: (loss(certain(found), labels, maps) - loss(certain(labels), labels, maps)).item()
        for name in ("map_dice", "dice")
        for loss in [losses.create(name)]
    }
    assert missed == pytest.approx({"map_dice": 0.0076, "dice": 0.0069}, abs=1e-4)
