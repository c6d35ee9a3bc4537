"""Every loss against a slow one-hot reference that was written from the formulas alone: value and gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import losses
from losses import target_maps

from .reference import (
    boundary,
    cross_entropy,
    dice,
    exp_log,
    focal,
    frequency_weighted_dice,
    generalized_dice,
    inverse_weighting,
    lesions,
    lovasz,
    map_dice,
    maps,
    residual_moment,
    top_k,
    tversky,
    unified_focal,
    weighted_cross_entropy,
    weighted_sum,
)

FREQUENCIES = {2: (0.9, 0.1), 3: (0.85, 0.1, 0.05)}


def by_class(rule):
    return lambda z, y: weighted_cross_entropy.class_weighted(z, y, class_weights=rule(FREQUENCIES[z.shape[1]]))


def listed(z, y):
    return weighted_cross_entropy.class_weighted(z, y, class_weights=[0.2, 0.8])


def bordered(z, y):
    weights = weighted_cross_entropy.inverse(FREQUENCIES[z.shape[1]])
    return weighted_cross_entropy.unet_border(z, y, class_weights=weights)


def component(reference, **parameters):
    return lambda z, y: reference(z, y, weights=inverse_weighting.component_weights(y, **parameters))


def unit(reference):
    return lambda z, y: reference(z, y, weights=inverse_weighting.unit_weights(y))


def dice_and_cross_entropy(z, y):
    return weighted_sum.weighted_sum([(1.0, dice.dice(z, y)), (0.5, cross_entropy.cross_entropy(z, y))])


def scheduled(z, y):
    """At step 3 of 4."""
    return weighted_sum.weighted_sum([(0.25, generalized_dice.generalized_dice(z, y)), (0.76, boundary.boundary(z, y))])


SCHEDULED = (
    {"name": "generalized_dice", "weight": {"start": 1.0, "stop": 0.0, "steps": 4}},
    {"name": "boundary", "weight": {"start": 0.01, "stop": 1.01, "steps": 4}},
)


def pair(name, reference, **parameters):
    """A loss, its parameters, its reference and what the reference is called with beside logits and labels."""
    shown = ",".join(f"{key}={value}" for key, value in parameters.items() if not isinstance(value, tuple | dict))
    return pytest.param(name, parameters, reference, id=f"{name}({shown})" if shown else name)


def same(name, reference, **parameters):
    """A pair whose reference has the parameters of the loss."""
    return pair(name, lambda z, y: reference(z, y, **parameters), **parameters)


def exponential(z, y, **parameters):
    return exp_log.exp_log(z, y, class_frequencies=FREQUENCIES[z.shape[1]], **parameters)


def weighs(of, reference, **parameters):
    shown = "-".join([of, *(str(value) for value in parameters.values())])
    return pytest.param(
        "inverse_weighting", {"of": {"name": of}, **parameters}, reference, id=f"inverse_weighting({shown})"
    )


PAIRS = [
    same("dice", dice.dice),
    same("dice", dice.dice, include_background=True, squared=True, smooth=0.5),
    same("dice", dice.dice, batch=True),
    same("frequency_weighted_dice", frequency_weighted_dice.frequency_weighted_dice),
    pair("map_dice", lambda z, y: map_dice.map_dice(z, y, only_present=False)),
    pair("map_dice", lambda z, y: map_dice.map_dice(z, y, batch=False, only_present=False), batch=False),
    same("cross_entropy", cross_entropy.cross_entropy),
    same("cross_entropy", cross_entropy.cross_entropy, label_smoothing=0.1),
    pair("weighted_cross_entropy", by_class(weighted_cross_entropy.inverse_sqrt), weight="inverse_sqrt"),
    pair("weighted_cross_entropy", by_class(weighted_cross_entropy.inverse), weight="inverse"),
    pair("weighted_cross_entropy", weighted_cross_entropy.adaptive, weight="adaptive"),
    pair("weighted_cross_entropy", bordered, weight="unet_border"),
    same("top_k", top_k.top_k),
    same("top_k", top_k.top_k, fraction=0.37),
    same("focal", focal.focal),
    same("focal", focal.focal, exponent=0.5, foreground_weight=0.3),
    same("generalized_dice", generalized_dice.generalized_dice),
    same("generalized_dice", generalized_dice.generalized_dice, absent_class_weight="zero"),
    same("tversky", tversky.tversky),
    same("tversky", tversky.tversky, fp_weight=0.8, fn_weight=0.1, smooth=0.3),
    same("focal_tversky", tversky.focal_tversky),
    same("focal_tversky", tversky.focal_tversky, exponent=2.0, fp_weight=0.6, fn_weight=0.4),
    same("exp_log", exponential),
    same("exp_log", exponential, dice_weight=0.3, cross_entropy_weight=0.7, exponent=0.6, smooth=0.1),
    same("asymmetric_similarity", tversky.asymmetric_similarity),
    same("asymmetric_similarity", tversky.asymmetric_similarity, beta=0.7),
    weighs("dice", component(dice.dice)),
    weighs("cross_entropy", component(cross_entropy.cross_entropy)),
    weighs("focal", component(focal.focal, clip=(2.0, 3.0)), clip=(2.0, 3.0)),
    weighs("asymmetric_similarity", component(tversky.asymmetric_similarity)),
    weighs("dice", unit(dice.dice), background="unit"),
    weighs("cross_entropy", unit(cross_entropy.cross_entropy), background="unit"),
    weighs("focal", unit(focal.focal), background="unit"),
    weighs("asymmetric_similarity", unit(tversky.asymmetric_similarity), background="unit"),
    same("residual_moment", residual_moment.residual_moment),
    same("residual_moment", residual_moment.residual_moment, order=2, norm="l2"),
    same("residual_moment", residual_moment.residual_moment, level="moment"),
    same("residual_moment", residual_moment.residual_moment, order=2, level="moment", norm="l2"),
    same("boundary", boundary.boundary),
    same("hausdorff_dt", boundary.hausdorff_dt),
    same("region_wise", boundary.region_wise),
    same("blob", lesions.blob),
    same("blob", lesions.blob, global_weight=0.5, blob_weight=3.0, smooth=0.2),
    same("connected_component", lesions.connected_component),
    same("connected_component", lesions.connected_component, smooth=0.2, component_weight=2.0),
    same("lovasz", lovasz.lovasz),
    same("unified_focal", unified_focal.unified_focal),
    pair("sum", dice_and_cross_entropy, terms=({"name": "dice"}, {"name": "cross_entropy", "weight": 0.5})),
    pair("sum", scheduled, terms=SCHEDULED),
]

SPACES = {"2D": (6, 7), "3D": (4, 5, 3)}


def several_lesions(space, classes, random):
    """Lesions of one voxel to a quarter of the patch, of every class; the second sample has other ones."""
    labels = np.zeros((2, *space), np.int64)
    labels[0, 0, 0] = 1
    labels[0, 2:4, 3:5] = classes - 1
    labels[0, -1, 0] = 1
    labels[1, 1:, -2:] = 1
    labels[1, 0, 0] = classes - 1
    return labels


def with_ignored(space, classes, random):
    labels = several_lesions(space, classes, random)
    labels[random.random(labels.shape) < 0.2] = -1
    return labels


def empty(space, classes, random):
    return np.zeros((2, *space), np.int64)


def one_voxel(space, classes, random):
    labels = empty(space, classes, random)
    labels[1].flat[11] = classes - 1
    return labels


def full(space, classes, random):
    return np.full((2, *space), classes - 1)


def noise(space, classes, random):
    """Classes that touch everywhere; components of any form."""
    return random.integers(-1, classes, (2, *space))


TARGETS = [several_lesions, with_ignored, empty, one_voxel, full, noise]


def made(name, parameters, classes):
    loss = losses.create(name, **parameters)
    loss.prepare(losses.Statistics(FREQUENCIES[classes]))
    return loss


def maps_for(loss, labels, classes):
    """The maps that a case would have: by the product's own code, per sample and class."""
    computed = {key: _stacked(key, labels, classes) for key in loss.required_maps if key != "step"}
    return {**computed, "step": torch.tensor(3)}


def _stacked(key, labels, classes):
    masks = [[np.where(sample < 0, -1, sample == c) for c in range(1, classes)] for sample in labels]
    make = numbers_of_cells if key == "nearest_lesion" else lambda mask: target_maps.compute(key, mask)
    return torch.from_numpy(np.array([[make(mask) for mask in sample] for sample in masks]))


def numbers_of_cells(mask):
    """The reference's own cells: where two lesions are equally near, any of them is right."""
    cells = maps.nearest_lesion(mask > 0)
    return sum((k * (mask >= 0) * cell for k, cell in enumerate(cells, start=1)), np.zeros(mask.shape, np.int64))


def compare(loss, reference, logits, labels):
    """Value and gradient agree: nine digits, six where a map is float32."""
    tolerance = 1e-6 if loss.required_maps else 1e-9
    given = maps_for(loss, labels.numpy(), logits.shape[1])
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    value, expected = loss(ours, labels, given), reference(theirs, labels)
    assert value.dtype == torch.float64
    assert value.item() == pytest.approx(expected.item(), rel=tolerance, abs=tolerance / 10)
    (gradient,) = torch.autograd.grad(value, ours)
    (wanted,) = torch.autograd.grad(expected, theirs)
    assert (gradient - wanted).abs().max().item() <= tolerance * wanted.abs().max().item() + 1e-12


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__)
@pytest.mark.parametrize(("name", "parameters", "reference"), PAIRS)
def test_value_and_gradient_equal_the_reference(name, parameters, reference, target):
    for dims, space in SPACES.items():
        for classes in (2, 3):
            random = np.random.default_rng([int(dims[0]), classes])
            labels = torch.from_numpy(target(space, classes, random))
            logits = torch.from_numpy(random.normal(scale=2.0, size=(2, classes, *space)))
            compare(made(name, parameters, classes), reference, logits, labels)


@pytest.mark.parametrize("scale", [30.0, 1e4])
@pytest.mark.parametrize(("name", "parameters", "reference"), [pair for pair in PAIRS if pair.values[0] != "exp_log"])
def test_values_of_extreme_logits_equal_the_reference(name, parameters, reference, scale):
    for dims, space in SPACES.items():
        random = np.random.default_rng(int(dims[0]))
        labels = torch.from_numpy(with_ignored(space, 3, random))
        logits = scale * torch.from_numpy(random.normal(size=(2, 3, *space)))
        loss = made(name, parameters, 3)
        given = maps_for(loss, labels.numpy(), 3)
        assert loss(logits, labels, given).item() == pytest.approx(reference(logits, labels).item(), rel=1e-6, abs=1e-7)


def test_solved_voxels_and_classes_of_exp_log_cost_nothing_where_a_clamp_would_leave_its_power():
    labels = torch.from_numpy(several_lesions((6, 7), 2, None))
    logits = 50.0 * torch.stack([labels == 0, labels == 1], dim=1).double()
    weights = weighted_cross_entropy.inverse_sqrt(FREQUENCIES[2])
    mean_weight = weighted_cross_entropy.class_weight_of_voxels(labels, weights).mean().item()
    clamped = exponential(logits, labels).item()
    assert clamped == pytest.approx((0.8 + 0.2 * mean_weight) * 1e-6**0.3, rel=1e-6)
    assert made("exp_log", {}, 2)(logits, labels).item() == pytest.approx(0, abs=1e-9)


def test_an_absent_class_stays_in_the_mean_of_map_dice_where_the_sheet_takes_those_present():
    random = np.random.default_rng(0)
    labels = torch.from_numpy(several_lesions((6, 7), 2, None))  # no voxel of class 2
    logits = torch.from_numpy(random.normal(size=(2, 3, 6, 7)))
    loss = made("map_dice", {}, 3)
    all_classes = loss(logits, labels, maps_for(loss, labels.numpy(), 3)).item()
    only_present = map_dice.map_dice(logits, labels).item()
    assert all_classes == pytest.approx((only_present + 1) / 2, rel=1e-5), "the absent class costs Σp / (Σp + smooth)"


def test_every_loss_has_a_reference():
    assert {parameters.values[0] for parameters in PAIRS} == set(losses.available())


def test_a_list_of_weights_equals_the_reference():
    random = np.random.default_rng(0)
    labels = torch.from_numpy(with_ignored((6, 7), 2, random))
    logits = torch.from_numpy(random.normal(size=(2, 2, 6, 7)))
    compare(made("weighted_cross_entropy", {"weight": [0.2, 0.8]}, 2), listed, logits, labels)


def test_coordinates_of_the_volume_equal_the_reference():
    random = np.random.default_rng(0)
    labels = torch.from_numpy(with_ignored((4, 5, 3), 3, random))
    logits = torch.from_numpy(random.normal(size=(2, 3, 4, 5, 3)))
    coordinates = torch.from_numpy(random.uniform(-1, 1, (2, 3, 4, 5, 3)))
    for level in ("map", "moment"):
        loss = losses.create("residual_moment", origin="volume", level=level)
        expected = residual_moment.residual_moment(logits, labels, level=level, coordinates=coordinates)
        assert loss(logits, labels, {"coordinates": coordinates}).item() == pytest.approx(expected.item(), rel=1e-9)
