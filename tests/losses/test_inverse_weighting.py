"""Inverse weighting: both published formulas, what they do to misses and to false positives, cropped numbers."""

from __future__ import annotations

import pytest
import torch

import losses
from losses import LossError, Statistics
from losses.contract import check

BOTH = ["component", "unit"]


def naive_weights(labels, lesion_id, background, clip=(1.0, 2e5)):
    """Weights (B, *S) by a loop over samples, classes and lesions."""
    weights = torch.ones(labels.shape, dtype=torch.float64)
    for b, sample in enumerate(labels):
        valid = sample >= 0
        lesions = [number == k for number in lesion_id[b] for k in number.unique() if k > 0]
        if not lesions:
            continue
        ground = valid & ~torch.stack(lesions).any(0)
        if background == "component":
            parts = [*lesions, ground] if ground.any() else lesions
            for part in parts:
                weights[b][part] = (valid.sum().double() / (len(parts) * part.sum())).clamp(*clip)
        else:
            positives = sum(part.sum().double() for part in lesions)
            for part in lesions:
                weights[b][part] = positives / (len(lesions) * part.sum())
    return weights


def weighted_dice(p, labels, weights, smooth):
    terms = []
    for b in range(len(p)):
        w = weights[b] * (labels[b] >= 0)
        for c in range(1, p.shape[1]):
            g = labels[b] == c
            terms.append(1 - (2 * (w * p[b, c] * g).sum() + smooth) / ((w * p[b, c]).sum() + (w * g).sum() + smooth))
    return torch.stack(terms).mean()


def weighted_cross_entropy(p, labels, weights):
    valid = labels >= 0
    true = p.gather(1, labels.clamp(min=0)[:, None])[:, 0]
    return -(weights * valid * true.log()).sum() / valid.sum()


@pytest.mark.parametrize("background", BOTH)
@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("ignore", [False, True])
def test_dice_and_cross_entropy_equal_their_weighted_formulas(scene, agree, background, channels, dims, ignore):
    case = scene(channels, dims, ignore=ignore)
    weights = naive_weights(case.labels, case.maps["lesion_id"], background)
    dice = losses.create("inverse_weighting", of={"name": "dice"}, background=background)
    agree(dice, lambda p, y: weighted_dice(p, y, weights, 1e-5), case)
    entropy = losses.create("inverse_weighting", of={"name": "cross_entropy"}, background=background)
    agree(entropy, lambda p, y: weighted_cross_entropy(p, y, weights), case)


def test_the_weighted_dice_of_the_authors_is_a_choice_of_parameters(scene, agree):
    case = scene()
    weights = naive_weights(case.labels, case.maps["lesion_id"], "component")

    def published(p, labels):
        y, terms = (labels == 1), []
        for b in range(len(p)):
            w, q = weights[b], p[b, 1]
            terms.append(1 - 2 * (w * q * y[b]).sum() / (w * (q.square() + y[b])).sum())
        return torch.stack(terms).mean()

    squared = {"name": "dice", "squared": True, "smooth": 0.0}
    agree(losses.create("inverse_weighting", of=squared), published, case)


def test_a_given_voxel_weight_is_multiplied(scene, agree):
    case = scene()
    own = torch.rand(case.labels.shape, dtype=torch.float64)
    weights = naive_weights(case.labels, case.maps["lesion_id"], "unit") * own
    loss = losses.create("inverse_weighting", of={"name": "dice"}, background="unit")
    agree(loss, lambda p, y: weighted_dice(p, y, weights, 1e-5), case, voxel_weight=own)


@pytest.fixture(scope="module")
def large_and_small():
    """A patch of 128³ with lesions of 40³ and 4³ voxels."""
    lesion_id = torch.zeros(1, 1, 128, 128, 128, dtype=torch.int32)
    lesion_id[..., 10:50, 10:50, 10:50] = 1
    lesion_id[..., 70:74, 70:74, 70:74] = 2
    return lesion_id


def cost(loss, lesion_id, predicted):
    labels = (lesion_id[:, 0] > 0).to(torch.int8)
    sign = predicted[:, 0].double() * 2 - 1
    return loss(torch.stack([-30 * sign, 30 * sign], 1), labels, {"lesion_id": lesion_id}).item()


@pytest.mark.parametrize("background", BOTH)
def test_missing_either_lesion_costs_the_same(large_and_small, background):
    loss = losses.create("inverse_weighting", of={"name": "dice"}, background=background)
    for found in (1, 2):
        assert cost(loss, large_and_small, large_and_small == found) == pytest.approx(1 / 3, abs=1e-4)
    plain = losses.create("dice")
    assert cost(plain, large_and_small, large_and_small == 2) == pytest.approx(0.998, abs=5e-4)
    assert cost(plain, large_and_small, large_and_small == 1) == pytest.approx(0.0005, abs=5e-5)


def test_a_false_blob_is_22_times_cheaper_under_the_released_formula(large_and_small):
    predicted = large_and_small > 0
    predicted[..., 100:104, 100:104, 100:104] = True
    of = {"name": "dice", "smooth": 0.0}
    unit = cost(losses.create("inverse_weighting", of=of, background="unit"), large_and_small, predicted)
    component = cost(losses.create("inverse_weighting", of=of), large_and_small, predicted)
    assert cost(losses.create(**of), large_and_small, predicted) == pytest.approx(5e-4, rel=0.01)
    assert unit == pytest.approx(5e-4, rel=0.02)
    assert component == pytest.approx(2.3e-5, rel=0.02)


def weights_of(lesion_id, labels=None, **parameters):
    labels = (lesion_id > 0).any(1).to(torch.int8) if labels is None else labels
    return losses.create("inverse_weighting", of={"name": "dice"}, **parameters).weight(labels, lesion_id)


def test_the_clip_leaves_a_single_lesion_a_third_of_the_weight():
    lesion_id = torch.zeros(1, 1, 20, 20, dtype=torch.int32)
    lesion_id[..., :3, :3] = 1
    for clip, share in (((1.0, 2e5), 1 / 3), (None, 1 / 2)):
        weight = weights_of(lesion_id, clip=clip)
        assert (weight[:, :3, :3].sum() / weight.sum()).item() == pytest.approx(share, rel=0.02)


def test_the_clip_bounds_the_weight_of_one_voxel(large_and_small):
    lesion_id = large_and_small.clone()
    lesion_id[..., 127, 127, 127] = 3
    assert weights_of(lesion_id).max() == 2e5
    assert weights_of(lesion_id, clip=None).max() == 128**3 / 4


@pytest.mark.parametrize("background", BOTH)
def test_a_patch_without_lesion_and_a_patch_that_is_lesion_have_weight_one(scene, background):
    nothing = torch.zeros(2, 1, 6, 6, dtype=torch.int32)
    assert (weights_of(nothing, background=background) == 1).all()
    assert (weights_of(nothing + 5, background=background) == 1).all()


@pytest.mark.parametrize("background", BOTH)
def test_numbers_of_a_crop_need_not_be_consecutive(background):
    lesion_id = torch.zeros(1, 1, 12, 12, dtype=torch.int32)
    lesion_id[..., :2, :2], lesion_id[..., 6:, 6:] = 1, 2
    cropped = torch.where(lesion_id > 0, 7 * lesion_id + 3, 0)
    assert torch.equal(weights_of(lesion_id, background=background), weights_of(cropped, background=background))


def test_the_mean_lesion_weight_of_unit_is_one_whatever_the_numbers():
    lesion_id = torch.zeros(1, 1, 12, 12, dtype=torch.int32)
    lesion_id[..., :2, :2], lesion_id[..., 6:, 6:] = 10, 17
    weight = weights_of(lesion_id, background="unit")[lesion_id[:, 0] > 0]
    assert weight.mean().item() == pytest.approx(1)
    # The submitted code divided by the largest number, 17 for these two lesions.
    assert (weight.mean() * 2 / 17).item() == pytest.approx(0.118, abs=1e-3)


def test_hundreds_of_lesions_weigh_alike():
    lesion_id = torch.zeros(1, 1, 60, 60, dtype=torch.int32)
    lesion_id[..., ::3, ::3] = torch.arange(1, 401, dtype=torch.int32).view(20, 20)
    lesion_id[..., 1::3, ::3] = lesion_id[..., ::3, ::3] * (torch.arange(20) % 2)
    weight = weights_of(lesion_id, background="unit")
    per_lesion = torch.zeros(401, dtype=torch.float64).index_add(0, lesion_id.flatten(), weight.flatten())[1:]
    torch.testing.assert_close(per_lesion, torch.full_like(per_lesion, per_lesion[0].item()))


def test_ignored_voxels_are_as_good_as_absent(scene, maps):
    case = scene()
    loss = losses.create("inverse_weighting", of={"name": "dice"})
    case.labels[:, 5:] = -1
    cut = case.labels[:, :5]
    whole = loss(case.logits, case.labels, maps(case.labels, 2))
    torch.testing.assert_close(whole, loss(case.logits[:, :, :5], cut, maps(cut, 2)))


def test_gradcheck(scene, small):
    case = small(scene(3, 2, ignore=True, batch=1))
    loss = losses.create("inverse_weighting", of={"name": "dice"})
    assert torch.autograd.gradcheck(lambda x: loss(x, case.labels, case.maps), (case.logits.requires_grad_(),))


def test_maps_and_statistics_of_the_weighted_loss_are_passed_on():
    inner = {"name": "sum", "terms": [{"name": "boundary", "weight": {"start": 0, "stop": 1, "steps": 5}}]}
    loss = losses.create("inverse_weighting", of=inner)
    assert loss.required_maps == ("lesion_id", "signed_distance", "step")
    seen = []
    loss.of.prepare = seen.append
    loss.prepare(Statistics((0.9, 0.1)))
    assert seen == [Statistics((0.9, 0.1))]


def test_resolve_fills_in_the_weighted_loss_and_says_that_unit_has_no_clip():
    resolved = losses.resolve({"name": "inverse_weighting", "of": {"name": "dice"}, "clip": [1, 200000]})
    assert resolved["of"]["smooth"] == 1e-5
    assert resolved["clip"] == (1.0, 2e5)
    assert losses.resolve(resolved) == resolved
    unit = losses.resolve({"name": "inverse_weighting", "of": {"name": "dice"}, "background": "unit"})
    assert unit["clip"] is None
    assert losses.resolve(unit) == unit
    assert losses.create(**unit).clip is None


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"of": {"name": "dicee"}}, r"inverse_weighting: of: unknown loss 'dicee'"),
        ({"of": "dice"}, r"inverse_weighting: of: expected a loss such as \{name: dice\}"),
        ({"of": {"name": "dice", "smooth": -1}}, r"inverse_weighting: of: dice: smooth must be a number >= 0"),
        ({"background": "one"}, r"background must be 'component' or 'unit', got 'one'"),
        ({"clip": 3}, r"clip must be \(smallest, largest weight\) such as \[1, 2e5\], or null, got 3"),
        ({"clip": (-1, 2)}, r"clip\[0\] must be a number >= 0, got -1"),
        ({"clip": (5, 2)}, r"clip\[1\] must be a number >= 5 and > 0, got 2"),
        ({"clip": (0, 5), "background": "unit"}, r"background=\"unit\" clips nothing"),
    ],
)
def test_a_wrong_parameter_is_named(parameters, message):
    with pytest.raises(LossError, match=message):
        losses.create("inverse_weighting", **{"of": {"name": "dice"}, **parameters})


@pytest.mark.parametrize(("wrong", "message"), [(-1, "numbers >= 0"), (0.5, "must hold integers, got torch.float32")])
def test_a_map_that_holds_no_lesion_numbers_is_refused(wrong, message):
    labels = torch.zeros(1, 4, 4, dtype=torch.int8)
    loss = losses.create("inverse_weighting", of={"name": "dice"})
    with pytest.raises(LossError, match=f"inverse_weighting: map 'lesion_id' must hold.*{message}|{message}"):
        loss(torch.zeros(1, 2, 4, 4), labels, {"lesion_id": torch.full((1, 1, 4, 4), wrong)})


@pytest.mark.parametrize("background", BOTH)
@pytest.mark.parametrize("name", ["dice", "cross_entropy", "focal", "generalized_dice", "boundary", "lovasz"])
def test_what_is_weighted_keeps_the_contract(name, background):
    check(losses.create("inverse_weighting", of={"name": name}, background=background))
