"""What holds for every loss, and where not: a table, each exception with a counterexample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import losses
from losses import target_maps

SPACE = (8, 8)
SOLID = [np.s_[1:4, 2:5], np.s_[:7, 1:], np.s_[3, 3]]  # a small lesion, one with a core, one voxel
few = settings(max_examples=6, deadline=None, derandomize=True)


@dataclass(frozen=True)
class Row:
    """A loss and the properties it lacks.

    voxels  its value does not depend on the order of the voxels, if maps are reordered alike.
    batch   without ignored voxels, a batch costs the mean of its samples.
    error   less probability for the truth of one voxel never costs less; so near the truth every voxel pulls to it.
    """

    name: str
    parameters: dict[str, Any]
    lacks: frozenset[str]

    def make(self, classes):
        loss = losses.create(self.name, **self.parameters)
        loss.prepare(losses.Statistics((0.9, *[0.1 / (classes - 1)] * (classes - 1))))
        return loss


def row(name, lacks="", **parameters):
    return Row(name, parameters, frozenset(lacks.split()))


SCHEDULED = {"name": "boundary", "weight": {"start": 0.0, "stop": 1.0, "steps": 4}}
TABLE = [
    row("dice"),
    row("dice", "batch", batch=True),
    row("frequency_weighted_dice", "batch"),
    row("map_dice", "batch error"),
    row("map_dice", "error", batch=False),
    row("cross_entropy"),
    row("weighted_cross_entropy", "batch"),
    row("weighted_cross_entropy", "batch", weight="inverse"),
    row("weighted_cross_entropy", "batch", weight="unet_border"),
    row("weighted_cross_entropy", "batch error", weight="adaptive"),
    row("top_k", "batch"),
    row("focal"),
    row("generalized_dice"),
    row("generalized_dice", absent_class_weight="zero"),
    row("tversky"),
    row("focal_tversky"),
    row("exp_log"),
    row("asymmetric_similarity"),
    row("inverse_weighting", of={"name": "dice"}),
    row("inverse_weighting", of={"name": "cross_entropy"}, background="unit"),
    row("inverse_weighting", "batch", of={"name": "top_k"}),
    row("residual_moment", "voxels"),
    row("residual_moment", origin="volume"),
    row("residual_moment", "error", origin="volume", level="moment"),
    row("boundary"),
    row("hausdorff_dt"),
    row("region_wise"),
    row("blob"),
    row("connected_component"),
    row("lovasz", "batch"),
    row("lovasz", batch=False),
    row("unified_focal"),
    row("sum", terms=({"name": "dice"}, {"name": "cross_entropy", "weight": 0.5})),
    row("sum", terms=({"name": "generalized_dice"}, SCHEDULED)),
]


def those_that(has):
    """The rows that have a property."""
    return pytest.mark.parametrize("row", [r for r in TABLE if has not in r.lacks], ids=title)


def title(row):
    parts = [str(value) for value in row.parameters.values()]
    return "-".join([row.name, *parts])


def row_of(name, **parameters):
    """The row of an exception; it must be there, so that no counterexample outlives its exception."""
    return next(r for r in TABLE if r.name == name and r.parameters == parameters)


anything = given(seed=st.integers(0, 23), classes=st.integers(2, 3))


@lru_cache(maxsize=256)
def scene(seed, classes, ignore):
    """Logits, labels and all maps; a solid lesion in the first sample, scattered voxels, or none of these."""
    random = np.random.default_rng([seed, classes])
    labels = random.integers(0, classes, (2, *SPACE)) * (random.random((2, *SPACE)) < random.choice([0.0, 0.2, 0.8]))
    labels[(0, *SOLID[seed % len(SOLID)])] = classes - 1
    if ignore:
        labels[random.random(labels.shape) < 0.2] = -1
    logits = random.normal(scale=random.choice([0.5, 3.0]), size=(2, classes, *SPACE))
    return torch.from_numpy(logits), torch.from_numpy(labels), maps_of(labels, classes)


def maps_of(labels, classes):
    kinds = {
        kind: [
            [target_maps.compute(kind, np.where(sample < 0, -1, sample == c)) for c in range(1, classes)]
            for sample in labels
        ]
        for kind in target_maps.available()
    }
    axes = np.meshgrid(*(np.linspace(-1, 1, size) for size in labels.shape[1:]), indexing="ij")
    kinds["coordinates"] = [axes] * len(labels)
    return {**{kind: torch.from_numpy(np.array(made)) for kind, made in kinds.items()}, "step": torch.tensor(3)}


def each_map(maps, change):
    return {kind: made if kind == "step" else change(made) for kind, made in maps.items()}


def certain(labels, size=60.0):
    return size * torch.stack([labels == c for c in range(2)], dim=1).double()


def test_the_table_has_every_loss():
    assert {row.name for row in TABLE} == set(losses.available())


@those_that("voxels")
@few
@anything
def test_the_order_of_the_voxels_does_not_matter(row, seed, classes):
    logits, labels, maps = scene(seed, classes, True)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(labels[0].numel()))

    def mixed(tensor):
        return tensor.flatten(-2)[..., order].view(tensor.shape)

    loss = row.make(classes)
    usual = loss(logits, labels, maps).item()
    assert loss(mixed(logits), mixed(labels), each_map(maps, mixed)).item() == pytest.approx(usual, rel=1e-9, abs=1e-12)


def test_for_residual_moment_the_place_in_the_patch_matters():
    labels = torch.zeros(1, 5, 5, dtype=torch.long)
    centre, corner = labels.clone(), labels.clone()
    centre[0, 2, 2], corner[0, 0, 0] = 1, 1
    loss = row_of("residual_moment").make(2)
    assert loss(certain(centre), labels).item() == pytest.approx(0)
    assert loss(certain(corner), labels).item() == pytest.approx(2 / 25)


@those_that("batch")
@few
@anything
def test_a_batch_costs_the_mean_of_its_samples(row, seed, classes):
    logits, labels, maps = scene(seed, classes, False)
    loss = row.make(classes)
    alone = [loss(logits[b : b + 1], labels[b : b + 1], each_map(maps, lambda m, b=b: m[b : b + 1])) for b in (0, 1)]
    together = loss(logits, labels, maps).item()
    assert together == pytest.approx(torch.stack(alone).mean().item(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("row", [r for r in TABLE if "batch" in r.lacks], ids=title)
def test_losses_that_pool_the_batch_cost_another_amount_than_the_mean(row):
    labels = torch.zeros(2, 12, 12, dtype=torch.long)
    labels[0, 2:4, 2], labels[1, 2:10, 2:10] = 1, 1
    logits = certain(labels, 1.0)
    logits[0] = logits[0].flip(0)  # all wrong in the first sample, moderately right in the second
    maps, loss = maps_of(labels.numpy(), 2), row.make(2)
    alone = [loss(logits[b : b + 1], labels[b : b + 1], each_map(maps, lambda m, b=b: m[b : b + 1])) for b in (0, 1)]
    assert abs(loss(logits, labels, maps) - torch.stack(alone).mean()) > 0.01


@pytest.mark.parametrize("row", TABLE, ids=title)
@few
@anything
def test_a_sample_of_ignored_voxels_is_as_good_as_absent(row, seed, classes):
    logits, labels, maps = scene(seed, classes, True)
    nothing = torch.full_like(labels[:1], -1)
    longer = torch.cat([logits, logits[:1]]), torch.cat([labels, nothing])
    loss = row.make(classes)
    more = each_map(maps, lambda made: torch.cat([made, torch.zeros_like(made[:1])]))
    assert loss(*longer, more).item() == pytest.approx(loss(logits, labels, maps).item(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("row", TABLE, ids=title)
@few
@anything
def test_ignored_voxels_have_no_gradient_and_no_say(row, seed, classes):
    logits, labels, maps = scene(seed, classes, True)
    ignored = (labels == -1)[:, None]
    loss, leaf = row.make(classes), logits.clone().requires_grad_()
    value = loss(leaf, labels, maps)
    (gradient,) = torch.autograd.grad(value, leaf)
    assert not gradient.masked_select(ignored).any()
    other = torch.where(ignored, -5 * logits.flip(1), logits)
    assert loss(other, labels, maps).item() == pytest.approx(value.item(), rel=1e-12, abs=1e-15)


@those_that("error")
@few
@given(seed=st.integers(0, 23), classes=st.integers(2, 3), size=st.sampled_from([0.3, 2.0, 5.0]))
def test_near_the_truth_every_voxel_pulls_to_it_or_not_at_all(row, seed, classes, size):
    _, labels, maps = scene(seed, classes, True)
    truth = torch.stack([labels == c for c in range(classes)], 1)
    leaf = (size * truth.double()).requires_grad_()
    (gradient,) = torch.autograd.grad(row.make(classes)(leaf, labels, maps), leaf)
    assert (gradient[truth] <= 1e-12).all(), "the true class's logit must not be pushed down"
    assert (gradient[~truth] >= -1e-12).all() or classes > 2, "nor the wrong one's up"


@those_that("error")
@few
@given(seed=st.integers(0, 23), classes=st.integers(2, 3), by=st.sampled_from([0.01, 1.0, 20.0]))
def test_a_larger_error_in_one_voxel_never_costs_less(row, seed, classes, by):
    logits, labels, maps = scene(seed, classes, True)
    random, loss = np.random.default_rng(seed), row.make(classes)
    usual = loss(logits, labels, maps).item()
    for b, *at in random.permutation(np.argwhere(labels.numpy() >= 0))[:8].tolist():
        worse = logits.clone()
        worse[(b, int(labels[(b, *at)]), *at)] -= by
        assert loss(worse, labels, maps).item() >= usual - 1e-12


def disc(radius=6, size=17):
    z, y = np.ogrid[:size, :size]
    return torch.from_numpy((z - size // 2) ** 2 + (y - size // 2) ** 2 <= radius**2).long()[None]


@pytest.mark.parametrize("batch", [True, False])
def test_for_map_dice_the_core_of_a_lesion_is_better_left_out(batch):
    labels = disc()
    maps = maps_of(labels.numpy(), 2)
    loss = row_of("map_dice", **({} if batch else {"batch": False})).make(2)
    leaf = certain(labels, 2.0).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(leaf, labels, maps), leaf)
    assert gradient[0, 1, 8, 8] > 0 > gradient[0, 1, 8, 2], "the centre is pushed out, the rim pulled in"
    hollow = labels.clone()
    hollow[0, 8, 8] = 0
    assert loss(certain(hollow), labels, maps) < loss(certain(labels), labels, maps)


def test_for_adaptive_weights_a_false_positive_may_be_welcome():
    """Predicting more makes the foreground's weight (N − Σp) / Σp smaller, and with it the price of what is missed."""
    labels = torch.zeros(1, 10, 10, dtype=torch.long)
    labels[0, 5, 5] = 1
    logits = certain(torch.zeros_like(labels), 3.0)
    worse = logits.clone()
    worse[0, 0, 0, 0] -= 3.0
    loss = row_of("weighted_cross_entropy", weight="adaptive").make(2)
    assert loss(worse, labels) < loss(logits, labels) - 0.01


def test_for_residual_moments_two_errors_may_cancel():
    labels = torch.zeros(1, 5, 5, dtype=torch.long)
    one, two = labels.clone(), labels.clone()
    one[0, 0, 0] = two[0, 0, 0] = two[0, 4, 4] = 1
    loss = row_of("residual_moment", origin="volume", level="moment").make(2)
    maps = maps_of(labels.numpy(), 2)
    assert loss(certain(one), labels, maps).item() == pytest.approx(2)
    assert loss(certain(two), labels, maps).item() == pytest.approx(0)
