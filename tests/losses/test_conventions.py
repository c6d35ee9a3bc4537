"""Losses under the same name that are not the same: what other code computes, and by how much it differs from ours.

Each convention is written out here or taken from MONAI; the files of the losses hold those that their own story needs.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from monai.losses import (
    AsymmetricUnifiedFocalLoss,
    DiceFocalLoss,
    DiceLoss,
    FocalLoss,
    GeneralizedDiceLoss,
    TverskyLoss,
)

import losses
from losses import target_maps


def random_case(seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((2, 2, 6, 6, 6), generator=generator, dtype=torch.float64)
    return logits, (torch.rand((2, 6, 6, 6), generator=generator) < 0.2).long()


def same(ours, theirs, rel=1e-5):
    return ours.item() == pytest.approx(float(theirs), rel=rel)


# --- Dice ---------------------------------------------------------------------------------------------------------


def test_monai_includes_the_background_unless_told_not_to():
    logits, labels = random_case()
    monai = DiceLoss(softmax=True, to_onehot_y=True)(logits, labels[:, None])
    assert same(losses.create("dice", include_background=True)(logits, labels), monai)
    assert losses.create("dice")(logits, labels) - monai > 0.1


def test_without_smoothing_a_patch_without_lesion_costs_one_whatever_is_predicted():
    """The Dice of Shirokikh et al.: 0 / Σp² has no slope, so nothing acts against false positives."""
    logits, labels = random_case()
    for smooth, pull in ((0.0, 0.0), (1e-5, 1e-10), (1.0, 1e-6)):
        leaf = logits.clone().requires_grad_()
        value = losses.create("dice", squared=True, smooth=smooth)(leaf, torch.zeros_like(labels))
        value.backward()
        assert value.item() == pytest.approx(1, abs=0.05)
        assert leaf.grad.abs().max().item() >= pull
        assert smooth or not leaf.grad.any()


def test_the_jaccard_form_of_monai_halves_the_smoothing():
    logits, labels = random_case()
    monai = DiceLoss(
        softmax=True, to_onehot_y=True, include_background=False, jaccard=True, smooth_nr=1.0, smooth_dr=1.0
    )(logits, labels[:, None])
    halved, whole = (losses.create("tversky", fp_weight=1, fn_weight=1, smooth=smooth) for smooth in (0.5, 1.0))
    assert same(halved(logits, labels), monai)
    assert abs(whole(logits, labels) - monai) > 1e-3


def test_nnunet_and_segloss_odyssey_return_the_score_with_a_minus_sign():
    logits, labels = random_case()
    p, g = logits.softmax(1)[:, 1].flatten(1), labels.flatten(1)
    score = ((2 * (p * g).sum(1) + 1e-5) / (p.sum(1) + g.sum(1) + 1e-5)).mean()
    assert same(losses.create("dice")(logits, labels), 1 - score)
    assert -score < 0 < losses.create("dice")(logits, labels)


# --- Focal --------------------------------------------------------------------------------------------------------


def test_monais_dice_focal_with_softmax_has_the_focal_loss_of_a_sigmoid():
    logits, labels = random_case()
    target = labels[:, None]
    whole = DiceFocalLoss(softmax=True, to_onehot_y=True)(logits, target)
    dice = DiceLoss(softmax=True, to_onehot_y=True)(logits, target)
    sigmoid = FocalLoss(use_softmax=False, to_onehot_y=True)(logits, target)
    softmax = FocalLoss(use_softmax=True, to_onehot_y=True)(logits, target)
    assert same(whole, dice + sigmoid)
    assert abs(whole - dice - softmax) > 0.03
    ours = losses.create("focal", foreground_weight=0.5)(logits, labels)
    assert same(ours, softmax), "half the weight and half the channels: MONAI's mean is over both"


@pytest.mark.parametrize("alpha", [0.25, 0.75])
def test_the_weight_of_retinanet_is_of_the_foreground_as_ours_and_its_value_the_opposite(alpha):
    logits, labels = random_case()
    z = logits[:, 1] - logits[:, 0]
    p_true = torch.where(labels == 1, z.sigmoid(), 1 - z.sigmoid())
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    published = (-weight * (1 - p_true) ** 2 * p_true.log()).mean()
    assert same(losses.create("focal", foreground_weight=alpha)(logits, labels), published)
    assert same(losses.create("focal")(logits, labels), published) is (alpha == 0.75)


# --- Weighted cross entropy ---------------------------------------------------------------------------------------


def test_three_different_losses_are_called_weighted_cross_entropy():
    logits, labels = random_case()
    statistics = losses.Statistics((0.8, 0.2))
    border = {"border": torch.from_numpy(np.stack([target_maps.compute("border", m)[None] for m in labels.numpy()]))}
    values = []
    for weight in ("inverse", "unet_border", "adaptive"):
        loss = losses.create("weighted_cross_entropy", weight=weight)
        loss.prepare(statistics)
        values.append(loss(logits, labels, border).item())
    assert values[0] == pytest.approx(F.cross_entropy(logits, labels, torch.tensor([1 / 0.8, 1 / 0.2]).double()).item())
    assert np.abs(np.subtract.outer(values, values))[np.triu_indices(3, 1)].min() > 0.005


# --- Generalised Dice: the rule for absent classes is the loss ----------------------------------------------------


def test_generalised_dice_with_a_lesion_free_sample_has_four_values_in_four_libraries():
    logits, labels = random_case()
    labels[1] = 0
    p = logits.softmax(1).flatten(2)
    g = torch.stack([labels == 0, labels == 1], 1).double().flatten(2)
    overlap, volume, n = (p * g).sum(2), (p + g).sum(2), g.sum(2)

    w = 1 / (1 + n**2)
    shirokikh = (1 - 2 * (w * overlap).sum(1) / (w * (p**2 + g**2).sum(2)).sum(1)).mean()
    w = 1 / (n.sum(0) ** 2).clamp(min=1e-5)
    odyssey = 1 - 2 * (w * overlap.sum(0)).sum() / (w * volume.sum(0)).sum()
    monai = {
        batch: GeneralizedDiceLoss(softmax=True, to_onehot_y=True, batch=batch, smooth_nr=0, smooth_dr=0)(
            logits, labels[:, None]
        )
        for batch in (False, True)
    }
    ours = losses.create("generalized_dice")(logits, labels)
    assert same(ours, monai[False])
    assert same(losses.create("generalized_dice", batch=True)(logits, labels), monai[True])
    assert same(monai[True], odyssey), "pooled, the class is present: both agree"
    assert monai[True] - monai[False] > 0.1
    assert shirokikh - monai[False] > 0.1, "an absent class of weight 1 decides"
    without = losses.create("generalized_dice", absent_class_weight="zero")(logits, labels)
    assert ours - without > 0.01


# --- Tversky ------------------------------------------------------------------------------------------------------


def test_monais_tversky_is_dice_by_default():
    logits, labels = random_case()
    monai = TverskyLoss(softmax=True, to_onehot_y=True, include_background=False, smooth_nr=0, smooth_dr=0)
    assert same(losses.create("dice", smooth=0)(logits, labels), monai(logits, labels[:, None]))
    assert abs(losses.create("tversky")(logits, labels) - monai(logits, labels[:, None])) > 0.01


def test_in_the_backgrounds_ratio_the_two_errors_change_places():
    logits, labels = random_case()
    both = TverskyLoss(softmax=True, to_onehot_y=True, alpha=0.3, beta=0.7, smooth_nr=1e-5, smooth_dr=1e-5)
    lesions = losses.create("tversky")(logits, labels)
    swapped = losses.create("tversky", fp_weight=0.7, fn_weight=0.3)(logits.flip(1), 1 - labels)
    unswapped = losses.create("tversky")(logits.flip(1), 1 - labels)
    p, g = logits.softmax(1)[:, 1].flatten(1), labels.flatten(1)
    right, missed, wrong = ((1 - p) * (1 - g)).sum(1), ((1 - p) * g).sum(1), (p * (1 - g)).sum(1)
    of_errors = (1 - right / (right + 0.7 * missed + 0.3 * wrong)).mean()  # misses .7, false positives .3
    assert same(swapped, of_errors)
    assert same((lesions + unswapped) / 2, both(logits, labels[:, None]))


def test_abraham_and_khan_weigh_misses_by_alpha_as_ours_by_its_name():
    logits, labels = random_case()
    p, g = logits.softmax(1)[:, 1].flatten(), labels.flatten()
    tp, fn, fp = (p * g).sum(), ((1 - p) * g).sum(), (p * (1 - g)).sum()
    index = (tp + 1) / (tp + 0.7 * fn + 0.3 * fp + 1)
    ours = losses.create("focal_tversky", smooth=1.0, batch=True)
    assert same(ours(logits, labels), (1 - index) ** 0.75)
    salehis_letters = losses.create("focal_tversky", fp_weight=0.7, fn_weight=0.3, smooth=1.0, batch=True)
    assert abs(salehis_letters(logits, labels) - (1 - index) ** 0.75) > 0.01


def test_the_published_beta_of_the_asymmetric_similarity_is_a_tversky_of_692_and_308():
    loss = losses.create("asymmetric_similarity")
    assert (loss.fn_weight, loss.fp_weight) == pytest.approx((0.692, 0.308), abs=5e-4)


# --- Unified focal ------------------------------------------------------------------------------------------------


def test_monais_unified_focal_applies_no_activation():
    """Its documentation says logits; probabilities are what it needs."""
    logits, labels = random_case()
    monai = AsymmetricUnifiedFocalLoss(weight=0.5, gamma=0.5, delta=0.7)
    target = F.one_hot(labels, 2).movedim(-1, 1).double()
    of_logits, of_probabilities = monai(logits, target), monai(logits.softmax(1), target)
    focal = losses.create("unified_focal", fn_weight=0.7, focal_share=1.0)(logits, labels)
    tversky = losses.create("unified_focal", fn_weight=0.7, focal_share=0.0)(logits, labels)
    assert same(0.5 * focal / 2 + 0.5 * tversky, of_probabilities), "and its focal part is half of ours"
    assert abs(of_logits - of_probabilities) > 0.1


def test_the_authors_focal_part_picks_the_third_axis_which_is_the_channel_in_2d_only():
    for space in ((5, 4), (5, 4, 3)):
        p = torch.rand(1, *space, 2)  # channels last
        picked = p[:, :, :, 1]
        assert torch.equal(picked, p[..., 1]) is (len(space) == 2)
