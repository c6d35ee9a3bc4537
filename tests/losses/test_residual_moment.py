"""Residual moment: the two readings of its abstract, written out, and what each is blind to."""

from __future__ import annotations

from itertools import product

import pytest
import torch

import losses
from losses import LossError
from losses.contract import check

LEVELS = ["map", "moment"]


def patch_coordinates(labels):
    axes = [torch.linspace(-1, 1, size, dtype=torch.float64) for size in labels.shape[1:]]
    return torch.stack(torch.meshgrid(*axes, indexing="ij")).expand(len(labels), *[-1] * labels.ndim)


def naive(p, labels, x, order, level, norm):
    """x (B, dims, *S); exponents (k_1, …) with 0 < Σ k <= order."""
    dims = x.shape[1]
    exponents = [k for k in product(range(order + 1), repeat=dims) if 0 < sum(k) <= order]
    valid = labels >= 0
    total = []
    for c in range(1, p.shape[1]):
        r = (p[:, c] - (labels == c).double()) * valid
        monomials = [torch.stack([x[:, a] ** k[a] for a in range(dims)]).prod(0) for k in exponents]
        if level == "map":
            sizes = [(m * r).abs() if norm == "l1" else (m * r) ** 2 for m in monomials]
            total.append(sum(size.sum() for size in sizes) / valid.sum())
        else:
            for b in range(len(p)):
                n = max((labels[b] == c).sum(), 1)
                moments = [(m[b] * r[b]).sum() / n for m in monomials]
                total.append(sum(m.abs() if norm == "l1" else m**2 for m in moments))
    return torch.stack(total).mean()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(("channels", "dims"), [(2, 3), (3, 2)])
def test_value_and_gradient_equal_the_formula(scene, agree, level, norm, order, channels, dims):
    case = scene(channels, dims, ignore=True)
    x = patch_coordinates(case.labels)
    loss = losses.create("residual_moment", order=order, level=level, norm=norm)
    agree(loss, lambda p, y: naive(p, y, x, order, level, norm), case)


@pytest.mark.parametrize("level", LEVELS)
def test_coordinates_of_the_volume_come_as_a_map(scene, agree, level):
    case = scene()
    x = 0.3 * patch_coordinates(case.labels) + 0.5
    case.maps["coordinates"] = x
    loss = losses.create("residual_moment", level=level, origin="volume")
    assert loss.required_maps == ("coordinates",)
    agree(loss, lambda p, y: naive(p, y, x, 1, level, "l1"), case)
    assert losses.create("residual_moment").required_maps == ()


def test_it_is_called_a_reconstruction_where_it_is_shown():
    assert "reconstruction" in losses.describe("residual_moment").summary
    assert "reconstructed from the abstract" in losses.describe("residual_moment").documentation


@pytest.mark.parametrize("level", LEVELS)
def test_a_perfect_mask_costs_nothing_and_its_opposite_something(scene, certain, level):
    case = scene()
    loss = losses.create("residual_moment", level=level)
    assert loss(certain(case.labels), case.labels).item() == pytest.approx(0, abs=1e-20)
    assert loss(-certain(case.labels), case.labels) > 0.1


def masks(*places):
    """One row of nine voxels in the middle of a 9 x 9 patch."""
    mask = torch.zeros(1, 9, 9, dtype=torch.int64)
    for place in places:
        mask[0, 4, place] = 1
    return mask


def test_an_error_at_the_origin_is_free_and_one_far_away_is_not(certain):
    for level in LEVELS:
        loss = losses.create("residual_moment", level=level)
        assert loss(certain(masks(4)), masks()).item() == pytest.approx(0, abs=1e-15)
        near, far = (loss(certain(masks(place)), masks()) for place in (5, 8))
        torch.testing.assert_close(far, 4 * near)


def test_moments_do_not_see_errors_that_cancel_and_maps_do(certain):
    target, predicted = masks(1, 7), masks(2, 6)
    moment, level_map = (losses.create("residual_moment", level=level) for level in ("moment", "map"))
    assert moment(certain(predicted), target).item() == pytest.approx(0, abs=1e-15)
    assert level_map(certain(predicted), target) > 0.01


def test_an_empty_target_divides_by_one(certain):
    moment = losses.create("residual_moment", level="moment")
    assert moment(certain(masks(8)), masks()).item() == pytest.approx(1)
    assert moment(certain(masks(7, 8)), masks()).item() == pytest.approx(1.75)


def test_an_axis_of_one_voxel_has_its_origin_there():
    logits = torch.zeros(1, 2, 1, 5, 5)
    labels = torch.zeros(1, 1, 5, 5, dtype=torch.int64)
    flat = losses.create("residual_moment")(logits[:, :, 0], labels[:, 0])
    torch.testing.assert_close(losses.create("residual_moment")(logits, labels), flat)


@pytest.mark.parametrize("level", LEVELS)
def test_gradcheck(scene, small, level):
    case = small(scene(3, 2, ignore=True, batch=1))
    loss = losses.create("residual_moment", level=level, order=2)
    assert torch.autograd.gradcheck(lambda x: loss(x, case.labels), (case.logits.requires_grad_(),))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"order": 0}, "order must be a whole number >= 1, got 0"),
        ({"order": 1.0}, "order must be a whole number >= 1, got 1.0"),
        ({"level": "maps"}, "level must be 'map' or 'moment', got 'maps'"),
        ({"norm": 1}, "norm must be 'l1' or 'l2', got 1"),
        ({"origin": "case"}, "origin must be 'patch' or 'volume', got 'case'"),
    ],
)
def test_a_wrong_parameter_is_named(parameters, message):
    with pytest.raises(LossError, match=f"residual_moment: {message}"):
        losses.create("residual_moment", **parameters)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("origin", ["patch", "volume"])
def test_every_choice_keeps_the_contract(level, norm, origin):
    check(losses.create("residual_moment", level=level, norm=norm, origin=origin, order=2))
