"""Input that no loss can use is refused in one place, with the loss's name and the shapes."""

from __future__ import annotations

import re

import pytest
import torch

import losses
from losses import LossError
from losses.base import Loss

LOGITS = torch.zeros(2, 3, 4, 5)
LABELS = torch.zeros(2, 4, 5, dtype=torch.int64)


class Probe(Loss):
    """A loss that wants maps."""

    required_maps = ("distance", "coordinates", "step")

    def compute(self, logits, labels, maps, voxel_weight):
        return logits.sum()


MAPS = {
    "distance": torch.zeros(2, 2, 4, 5),
    "coordinates": torch.zeros(2, 2, 4, 5),
    "step": torch.tensor(7),
}


def refused(message: str):
    return pytest.raises(LossError, match=re.escape(message))


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5), (1, 2, 3, 4, 5, 6)])
def test_logits_of_the_wrong_rank_are_refused(shape):
    with refused(f"dice: logits must be float (B, C, H, W) or (B, C, D, H, W); got torch.float32 of shape {shape}"):
        losses.create("dice")(torch.zeros(shape), torch.zeros(shape, dtype=torch.int64))


def test_integer_logits_are_refused():
    with refused("logits must be float (B, C, H, W) or (B, C, D, H, W); got torch.int64 of shape (2, 3, 4, 5)"):
        losses.create("dice")(LOGITS.long(), LABELS)


def test_one_sigmoid_channel_is_told_what_to_do():
    with refused("put [0, z] in place of one sigmoid channel z; got torch.float32 of shape (2, 1, 4, 5)"):
        losses.create("dice")(LOGITS[:, :1], LABELS)


def test_empty_logits_are_refused():
    with refused("logits are empty; got torch.float32 of shape (0, 3, 4, 5)"):
        losses.create("dice")(LOGITS[:0], LABELS[:0])


@pytest.mark.parametrize("labels", [LABELS[:1], LABELS[:, None], LABELS[:, :3]])
def test_labels_of_another_shape_are_refused(labels):
    with refused("cross_entropy: labels must be (B, *S) = (2, 4, 5) for logits (2, 3, 4, 5); got torch.int64"):
        losses.create("cross_entropy")(LOGITS, labels)


@pytest.mark.parametrize("kind", [torch.float32, torch.bool])
def test_labels_that_are_not_integers_are_refused(kind):
    with refused(f"labels must be integers; got {kind} of shape (2, 4, 5)"):
        losses.create("dice")(LOGITS, LABELS.to(kind))


@pytest.mark.parametrize(("label", "found"), [(3, "0..3"), (-2, "-2..0"), (255, "0..255")])
def test_labels_outside_the_classes_are_refused_in_every_call(label, found):
    loss = losses.create("dice")
    loss(LOGITS, LABELS)
    wrong = LABELS.clone()
    wrong[0, 0, 0] = label
    with refused(f"labels must lie in 0..2 for 3 channels (−1 = ignored), found {found}"):
        loss(LOGITS, wrong)


@pytest.mark.parametrize("name", ["dice", "cross_entropy"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_logits_that_are_not_finite_are_refused_in_the_first_call(name, value):
    broken = LOGITS.clone()
    broken[1, 2, 3, 3:] = value
    with refused(f"{name}: 2 of 120 logits are NaN or infinite in the first call") as caught:
        losses.create(name)(broken, LABELS)
    assert str(caught.value).endswith("got torch.float32 of shape (2, 3, 4, 5)")


@pytest.mark.parametrize("name", ["dice", "cross_entropy"])
def test_later_a_training_that_diverged_is_seen_in_the_value(name):
    loss = losses.create(name)
    loss(LOGITS, LABELS)
    assert loss(LOGITS * float("nan"), LABELS).isnan()


def test_a_missing_map_is_named_with_those_that_are_there():
    with refused("Probe: needs the target map 'distance'; given: none"):
        Probe()(LOGITS, LABELS)
    with refused("Probe: needs the target map 'coordinates'; given: border, distance"):
        Probe()(LOGITS, LABELS, {"distance": MAPS["distance"], "border": MAPS["distance"]})


@pytest.mark.parametrize(
    ("key", "given", "expected"),
    [
        ("distance", torch.zeros(2, 3, 4, 5), (2, 2, 4, 5)),
        ("coordinates", torch.zeros(2, 3, 4, 5), (2, 2, 4, 5)),
        ("step", torch.zeros(1), ()),
    ],
)
def test_a_map_of_the_wrong_shape_is_refused(key, given, expected):
    with refused(f"Probe: map {key!r} must have shape {expected} for logits (2, 3, 4, 5); got torch.float32"):
        Probe()(LOGITS, LABELS, {**MAPS, key: given})


def test_maps_that_are_not_asked_for_are_not_looked_at():
    assert Probe()(LOGITS, LABELS, {**MAPS, "other": "anything"}) == 0


def test_a_voxel_weight_of_the_wrong_shape_is_refused():
    with refused("voxel_weight must be (B, *S) = (2, 4, 5); got torch.float32 of shape (2, 3, 4, 5)"):
        losses.create("dice")(LOGITS, LABELS, voxel_weight=torch.ones(LOGITS.shape))


def test_all_reserved_words_and_maps_reach_the_formula():
    assert Probe()(LOGITS + 1, LABELS, MAPS) == LOGITS.numel()


def test_a_loss_without_a_formula_says_so():
    with pytest.raises(NotImplementedError, match=r"Loss defines no compute\(\)"):
        Loss()(LOGITS, LABELS)


def test_the_package_offers_the_base_class_lazily():
    assert losses.Loss is Loss
    with pytest.raises(AttributeError, match="no attribute 'Los'"):
        _ = losses.Los
