"""Blob loss: against a loop over lesions, masked probabilities against masked outputs, cropped numbers."""

from __future__ import annotations

import pytest
import torch

import losses
from losses import LossError


def dice(p, g, smooth):
    return 1 - (2 * (p * g).sum() + smooth) / (p.sum() + g.sum() + smooth)


def naive(p, labels, lesion_id, smooth=1e-5, alpha=2.0, beta=1.0):
    samples = []
    for b in range(len(p)):
        valid = labels[b] >= 0
        whole, blobs = [], []
        for c in range(1, p.shape[1]):
            masked, numbers = p[b, c] * valid, lesion_id[b, c - 1]
            whole.append(dice(masked, (labels[b] == c).double(), smooth))
            terms = []
            for k in numbers.unique():
                if k > 0:
                    others = (numbers > 0) & (numbers != k)
                    terms.append(dice(masked * ~others, (numbers == k).double(), smooth))
            if terms:
                blobs.append(torch.stack(terms).mean())
        samples.append(alpha * torch.stack(whole).mean() + (beta * torch.stack(blobs).mean() if blobs else 0.0))
    return torch.stack(samples).mean()


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("ignore", [False, True])
@pytest.mark.parametrize("smooth", [1e-5, 1.0])
def test_value_and_gradient_equal_the_loop(scene, agree, channels, dims, ignore, smooth):
    case = scene(channels, dims, ignore=ignore)
    loss = losses.create("blob", smooth=smooth)
    agree(loss, lambda p, y: naive(p, y, case.maps["lesion_id"], smooth), case)


def test_its_weights_are_two_and_one_and_can_be_set(scene, agree):
    case = scene()
    for alpha, beta in ((1.0, 3.0), (0.0, 1.0), (1.0, 0.0)):
        loss = losses.create("blob", global_weight=alpha, blob_weight=beta)
        agree(loss, lambda p, y, a=alpha, b=beta: naive(p, y, case.maps["lesion_id"], 1e-5, a, b), case)
    defaults = losses.describe("blob").parameters
    assert (defaults["global_weight"].default, defaults["blob_weight"].default) == (2.0, 1.0)


def test_a_batch_is_the_mean_of_its_samples_also_where_one_has_no_lesion(scene, maps):
    case = scene(3, batch=3)
    case.labels[1] = 0
    loss = losses.create("blob")
    lesion_id = {"lesion_id": maps(case.labels, 3)["lesion_id"]}
    alone = [loss(case.logits[[b]], case.labels[[b]], {"lesion_id": lesion_id["lesion_id"][[b]]}) for b in range(3)]
    torch.testing.assert_close(loss(case.logits, case.labels, lesion_id), torch.stack(alone).mean())


@pytest.fixture
def two_lesions(maps):
    labels = torch.zeros(1, 20, 20, dtype=torch.int64)
    labels[:, 1:9, 1:9] = 1
    labels[:, 15:17, 15:17] = 1
    return labels, maps(labels, 2)


def test_a_perfect_mask_costs_nothing(two_lesions, certain):
    labels, made = two_lesions
    assert losses.create("blob")(certain(labels), labels, made).item() == pytest.approx(0, abs=1e-6)


def test_missing_a_small_lesion_costs_as_much_as_missing_a_large_one(two_lesions, certain):
    labels, made = two_lesions
    loss = losses.create("blob", global_weight=0.0)
    for lesion in (1, 2):
        found = torch.where(made["lesion_id"][:, 0] == lesion, 1, 0)
        assert loss(certain(found), labels, made).item() == pytest.approx(0.5, abs=1e-5)


def test_probabilities_are_masked_not_outputs(two_lesions, certain):
    """A criterion with its own sigmoid turns outputs that were masked to 0 into p = 1/2."""
    labels, made = two_lesions
    logits = certain(labels)
    z, numbers = (logits[:, 1] - logits[:, 0])[0], made["lesion_id"][0, 0]
    raw, masked = [], []
    for k in (1, 2):
        kept = (numbers == 0) | (numbers == k)
        raw.append(dice((z * kept).sigmoid(), (numbers == k).double(), 1e-5))
        masked.append(dice(z.sigmoid() * kept, (numbers == k).double(), 1e-5))
        assert (z * kept).sigmoid()[~kept].eq(0.5).all()
    value = losses.create("blob", global_weight=0.0)(logits, labels, made)
    torch.testing.assert_close(value, torch.stack(masked).mean())
    # Half of the 64 voxels of the large lesion stand in the denominator of the small one of 4, and the reverse.
    assert torch.stack(raw).tolist() == pytest.approx([1 - 128 / (128 + 2), 1 - 8 / (8 + 32)], abs=1e-5)


def test_numbers_of_a_crop_need_not_be_consecutive(scene):
    case = scene()
    loss = losses.create("blob")
    cropped = {"lesion_id": torch.where(case.maps["lesion_id"] > 0, 5 * case.maps["lesion_id"] + 100, 0).int()}
    assert torch.equal(loss(case.logits, case.labels, case.maps), loss(case.logits, case.labels, cropped))


def test_hundreds_of_lesions_equal_the_loop(agree, scene):
    case = scene(dims=2, batch=1)
    grid = torch.zeros(1, 40, 40, dtype=torch.int64)
    grid[:, ::2, ::2] = 1
    case.labels, case.logits = grid, torch.randn(1, 2, 40, 40, dtype=torch.float64)
    numbers = torch.zeros(1, 1, 40, 40, dtype=torch.int32)
    numbers[..., ::2, ::2] = torch.arange(1, 401, dtype=torch.int32).view(20, 20)
    case.maps = {"lesion_id": numbers}
    agree(losses.create("blob"), lambda p, y: naive(p, y, numbers), case)


def test_a_sample_without_lesion_is_twice_its_dice(scene, maps):
    case = scene()
    empty = torch.zeros_like(case.labels)
    expected = 2 * losses.create("dice")(case.logits, empty)
    torch.testing.assert_close(losses.create("blob")(case.logits, empty, maps(empty, 2)), expected)


def test_gradcheck(scene, small):
    case = small(scene(3, 2, ignore=True, batch=1))
    loss = losses.create("blob")
    assert torch.autograd.gradcheck(lambda x: loss(x, case.labels, case.maps), (case.logits.requires_grad_(),))


@pytest.mark.parametrize("parameter", ["global_weight", "blob_weight", "smooth"])
def test_parameters_outside_their_domain_are_refused(parameter):
    with pytest.raises(LossError, match=f"blob: {parameter} must be a number >= 0, got -1"):
        losses.create("blob", **{parameter: -1})
    with pytest.raises(LossError, match="both 0"):
        losses.create("blob", global_weight=0, blob_weight=0)
