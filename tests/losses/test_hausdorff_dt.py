"""One-sided Hausdorff loss: the formula, and where it equals MONAI's two-sided one and where not."""

from __future__ import annotations

import pytest
import torch
from monai.losses import HausdorffDTLoss
from scipy.ndimage import distance_transform_edt

import losses
from losses import LossError


def naive(p, labels, exponent):
    valid = labels >= 0
    classes = []
    for c in range(1, p.shape[1]):
        total = torch.zeros((), dtype=torch.float64)
        for b in range(len(p)):
            g = labels[b] == c
            if g.any():
                d = torch.from_numpy(distance_transform_edt(g) + distance_transform_edt(~g))
                total = total + ((p[b, c] - g.double()) ** 2 * d**exponent * valid[b]).sum()
        classes.append(total / valid.sum())
    return torch.stack(classes).mean()


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("exponent", [2.0, 1.0, 0.5])
def test_value_and_gradient_equal_the_formula(scene, agree, channels, dims, exponent):
    case = scene(channels, dims, ignore=True)
    agree(losses.create("hausdorff_dt", exponent=exponent), lambda p, y: naive(p, y, exponent), case)


def test_it_equals_monai_while_nothing_is_predicted(scene, agree):
    case = scene()
    case.logits[:, 0] += 10
    monai = HausdorffDTLoss(to_onehot_y=True)
    agree(losses.create("hausdorff_dt"), lambda p, y: monai(p, y[:, None]), case, rtol=1e-6)


def test_it_lacks_the_transform_of_the_prediction(scene):
    case = scene()
    both = HausdorffDTLoss(to_onehot_y=True, softmax=True)(case.logits, case.labels[:, None])
    assert losses.create("hausdorff_dt")(case.logits, case.labels, case.maps) < 0.9 * both


def test_errors_on_the_rim_cost_one_voxel_on_either_side(certain, maps):
    labels = torch.zeros(1, 9, 9, dtype=torch.int64)
    labels[:, 3:6, 3:6] = 1
    loss = losses.create("hausdorff_dt")
    for place, distance in (((3, 3), 1), ((4, 4), 2), ((2, 4), 1), ((0, 4), 3)):
        predicted = labels.clone()
        predicted[0][place] = 1 - predicted[0][place]
        assert 81 * loss(certain(predicted), labels, maps(labels, 2)).item() == pytest.approx(distance**2)
    assert loss(certain(labels), labels, maps(labels, 2)) == pytest.approx(0, abs=1e-15)


def test_nothing_acts_on_an_absent_class(maps):
    logits, labels = torch.randn(1, 2, 5, 5, requires_grad=True), torch.zeros(1, 5, 5, dtype=torch.int64)
    loss = losses.create("hausdorff_dt")(logits, labels, maps(labels, 2))
    loss.backward()
    assert loss == 0
    assert not logits.grad.any()


def test_maps_are_not_written_to(scene):
    case = scene()
    before = {key: value.clone() for key, value in case.maps.items()}
    losses.create("hausdorff_dt")(case.logits, case.labels, case.maps)
    assert all(torch.equal(before[key], case.maps[key]) for key in before)


def test_gradcheck(scene, small):
    case = small(scene(3, 2, ignore=True, batch=1))
    loss = losses.create("hausdorff_dt")
    assert torch.autograd.gradcheck(lambda x: loss(x, case.labels, case.maps), (case.logits.requires_grad_(),))


@pytest.mark.parametrize("value", [0, -1, "2", True])
def test_an_exponent_outside_its_domain_is_refused(value):
    with pytest.raises(LossError, match="hausdorff_dt: exponent must be a number > 0, got"):
        losses.create("hausdorff_dt", exponent=value)
