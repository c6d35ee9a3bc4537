"""Boundary loss: against the formula and MONAI, and what rounded distances and a wrong rim do to it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.losses import BoundaryLoss
from scipy.ndimage import distance_transform_edt

import losses
from losses import LossError


def naive(p, labels, signed):
    valid = labels >= 0
    classes = [((p[:, c] * signed[:, c - 1]) * valid).sum() / valid.sum() for c in range(1, p.shape[1])]
    return torch.stack(classes).mean()


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("ignore", [False, True])
def test_value_and_gradient_equal_the_formula(scene, agree, channels, dims, ignore):
    case = scene(channels, dims, ignore=ignore)
    agree(losses.create("boundary"), lambda p, y: naive(p, y, case.maps["signed_distance"]), case)


@pytest.mark.parametrize(("channels", "dims"), [(2, 2), (2, 3), (3, 3)])
def test_value_and_gradient_equal_monai(scene, agree, channels, dims):
    case = scene(channels, dims)
    monai = BoundaryLoss(to_onehot_y=True, include_background=False)
    agree(losses.create("boundary"), lambda p, y: monai(p, y[:, None]), case, rtol=1e-5)


@pytest.fixture
def disc():
    rows, columns = np.mgrid[:9, :9]
    mask = (rows - 4) ** 2 + (columns - 4) ** 2 <= 4
    signed = np.where(mask, 1 - distance_transform_edt(mask), distance_transform_edt(~mask))
    return torch.from_numpy(mask.astype(np.int64))[None], torch.from_numpy(signed)[None, None]


def value(predicted, labels, signed, certain):
    return 81 * losses.create("boundary")(certain(predicted), labels, {"signed_distance": signed}).item()


def test_distances_cut_to_integers_turn_the_sign_near_the_truth(disc, certain):
    labels, signed = disc
    predicted = labels.clone()
    predicted[0, 3, 2] = predicted[0, 2, 3] = 1  # two false positives that touch the disc
    assert value(predicted, labels, signed, certain) == pytest.approx(-0.893, abs=1e-3)
    assert value(predicted, labels, signed.long(), certain) == 1


def test_a_rim_of_minus_d_minus_one_fines_the_lesion_itself_on_fine_grids(disc, certain):
    labels, _ = disc
    mask = labels[0].numpy() == 1
    depth = distance_transform_edt(mask, sampling=(0.5, 0.5))
    outside = distance_transform_edt(~mask, sampling=(0.5, 0.5))
    published, ours = (
        torch.from_numpy(np.where(mask, rim - depth, outside))[None, None] for rim in (1, depth[mask].min())
    )
    assert value(labels, labels, published, certain) > 0 > value(labels, labels, ours, certain)
    empty = torch.zeros_like(labels)
    assert value(labels, labels, published, certain) > value(empty, labels, published, certain)


def test_the_least_value_is_minus_the_mean_depth_of_the_mask(disc, certain):
    labels, signed = disc
    best = value(labels, labels, signed, certain)
    assert best == pytest.approx(signed[signed < 0].sum().item())
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        other = torch.randint(0, 2, labels.shape, generator=generator)
        assert value(other, labels, signed, certain) > best


def test_the_outermost_layer_is_left_free(disc):
    labels, signed = disc
    logits = torch.zeros(1, 2, 9, 9, requires_grad=True)
    losses.create("boundary")(logits, labels, {"signed_distance": signed}).backward()
    assert not logits.grad[:, 1][signed[:, 0] == 0].any()
    assert (logits.grad[:, 1][signed[:, 0] != 0] != 0).all()


def test_nothing_acts_on_an_absent_class():
    logits = torch.randn(1, 2, 5, 5, requires_grad=True)
    zero = torch.zeros(1, 1, 5, 5)
    loss = losses.create("boundary")(logits, torch.zeros(1, 5, 5, dtype=torch.int8), {"signed_distance": zero})
    loss.backward()
    assert loss == 0
    assert not logits.grad.any()


def test_gradcheck(scene, small):
    case = small(scene(3, 2, ignore=True, batch=1))
    loss = losses.create("boundary")
    assert torch.autograd.gradcheck(lambda x: loss(x, case.labels, case.maps), (case.logits.requires_grad_(),))


def test_the_map_is_needed():
    with pytest.raises(LossError, match="boundary: needs the target map 'signed_distance'; given: none"):
        losses.create("boundary")(torch.zeros(1, 2, 5, 5), torch.zeros(1, 5, 5, dtype=torch.int8))
