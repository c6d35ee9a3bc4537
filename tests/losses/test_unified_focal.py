"""Asymmetric unified focal loss: the formula, MONAI's halved focal part, slopes where it is right."""

from __future__ import annotations

import pytest
import torch
from monai.losses.unified_focal_loss import AsymmetricFocalLoss, AsymmetricFocalTverskyLoss

import losses
from losses import LossError


def naive(p, labels, delta=0.6, share=0.5, gamma=0.5, smooth=1e-7):
    valid = labels >= 0
    ground = labels == 0
    true = p.gather(1, labels.clamp(min=0)[:, None])[:, 0]
    focal = -delta * (true.log() * (labels > 0)).sum()
    focal = focal - (1 - delta) * ((1 - p[:, 0]) ** gamma * p[:, 0].log() * ground).sum()
    tversky = []
    for b in range(len(p)):
        for c in range(p.shape[1]):
            q, g = p[b, c] * valid[b], (labels[b] == c).double()
            tp, fn, fp = (q * g).sum(), ((1 - q) * g).sum(), (q * (1 - g)).sum()
            rest = 1 - (tp + smooth) / (tp + delta * fn + (1 - delta) * fp + smooth)
            tversky.append(rest if c == 0 else rest ** (1 - gamma))
    return share * focal / valid.sum() + (1 - share) * torch.stack(tversky).mean()


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("ignore", [False, True])
def test_value_and_gradient_equal_the_formula(scene, agree, channels, dims, ignore):
    agree(losses.create("unified_focal"), naive, scene(channels, dims, ignore=ignore))


@pytest.mark.parametrize(("delta", "share", "gamma"), [(0.7, 0.2, 0.25), (0.1, 1.0, 0.9), (1.0, 0.0, 0.0)])
def test_parameters_are_those_of_the_paper(scene, agree, delta, share, gamma):
    loss = losses.create("unified_focal", fn_weight=delta, focal_share=share, exponent=gamma)
    agree(loss, lambda p, y: naive(p, y, delta, share, gamma), scene())


def test_monai_halves_the_focal_part(scene, agree):
    case = scene()

    def monai(p, labels):
        target = torch.stack([labels == 0, labels == 1], 1).double()
        focal = AsymmetricFocalLoss(delta=0.6, gamma=0.5)(p, target)
        return 0.5 * 2 * focal + 0.5 * AsymmetricFocalTverskyLoss(delta=0.6, gamma=0.5)(p, target)

    agree(losses.create("unified_focal"), monai, case, rtol=1e-6)


@pytest.mark.parametrize("channels", [2, 3])
def test_a_perfect_mask_costs_nothing_with_finite_slopes(scene, certain, channels):
    case = scene(channels)
    for size, most in ((0.2, 1e-2), (0.5, 1e-6), (1.0, 1e-20), (20.0, 0.0)):
        logits = (size * certain(case.labels, channels)).float().requires_grad_()
        value = losses.create("unified_focal")(logits, case.labels)
        value.backward()
        assert value <= most
        assert logits.grad.isfinite().all()


def test_an_empty_target_leaves_the_focal_part(scene):
    case = scene()
    empty = torch.zeros_like(case.labels)
    tversky = losses.create("unified_focal", focal_share=0.0)
    assert tversky(case.logits, empty) > 0.5
    few = case.logits.clone()
    few[:, 0] += 5
    assert tversky(few, empty).item() == pytest.approx(0.5, abs=0.01)
    focal = losses.create("unified_focal", focal_share=1.0)
    assert focal(few, empty) < 0.01 * focal(case.logits, empty)


def test_gradcheck(scene, small):
    case = small(scene(3, 2, ignore=True, batch=1))
    loss = losses.create("unified_focal")
    assert torch.autograd.gradcheck(lambda x: loss(x, case.labels), (case.logits.requires_grad_(),))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"fn_weight": 1.1}, "fn_weight must be a number >= 0 and <= 1, got 1.1"),
        ({"focal_share": -0.1}, "focal_share must be a number >= 0 and <= 1, got -0.1"),
        ({"exponent": 1.0}, "exponent must be < 1, got 1"),
        ({"exponent": -0.5}, "exponent must be a number >= 0 and <= 1, got -0.5"),
        ({"smooth": -1}, "smooth must be a number >= 0, got -1"),
    ],
)
def test_a_wrong_parameter_is_named(parameters, message):
    with pytest.raises(LossError, match=f"unified_focal: {message}"):
        losses.create("unified_focal", **parameters)
