"""CC-DiceCE: against a loop over cells, cells that the crop empties, samples without lesion."""

from __future__ import annotations

import pytest
import torch

import losses
from losses import LossError


def dice(p, g, w, smooth):
    total = (w * (p + g)).sum()
    if smooth == 0 and total == 0:
        return torch.zeros((), dtype=torch.float64)
    return 1 - (2 * (w * p * g).sum() + smooth) / (total + smooth)


def naive(p, labels, cells, component_weight=1.0, smooth=0.0, voxel_weight=None):
    valid = (labels >= 0).double()
    weight = valid if voxel_weight is None else valid * voxel_weight
    cost = -p.gather(1, labels.clamp(min=0)[:, None])[:, 0].log() * weight
    samples = []
    for b in range(len(p)):
        whole, components = [], []
        for c in range(1, p.shape[1]):
            g = (labels[b] == c).double()
            whole.append(dice(p[b, c], g, weight[b], smooth))
            terms = []
            for k in cells[b, c - 1].unique():
                cell = cells[b, c - 1] == k
                if k > 0 and g[cell].any():
                    entropy = cost[b][cell].sum() / valid[b][cell].sum()
                    terms.append(dice(p[b, c][cell], g[cell], weight[b][cell], smooth) + entropy)
            if terms:
                components.append(torch.stack(terms).mean())
        of_cells = torch.stack(components).mean() if components else 0.0
        samples.append(torch.stack(whole).mean() + component_weight * of_cells)
    return torch.stack(samples).mean() + cost.sum() / valid.sum()


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("ignore", [False, True])
@pytest.mark.parametrize("smooth", [0.0, 1.0])
def test_value_and_gradient_equal_the_loop(scene, agree, channels, dims, ignore, smooth):
    case = scene(channels, dims, ignore=ignore)
    cells = case.maps["nearest_lesion"]
    loss = losses.create("connected_component", smooth=smooth, component_weight=0.7)
    agree(loss, lambda p, y: naive(p, y, cells, 0.7, smooth), case)


def test_voxel_weights_reach_every_term(scene, agree):
    case = scene(ignore=True)
    own = torch.rand(case.labels.shape, dtype=torch.float64)
    cells = case.maps["nearest_lesion"]
    formula = lambda p, y: naive(p, y, cells, voxel_weight=own)
    agree(losses.create("connected_component"), formula, case, voxel_weight=own)


def test_without_the_components_it_is_dice_and_cross_entropy(scene):
    case = scene()
    terms = [{"name": "dice", "smooth": 0.0}, {"name": "cross_entropy"}]
    expected = losses.create("sum", terms=terms)(case.logits, case.labels)
    loss = losses.create("connected_component", component_weight=0.0)
    torch.testing.assert_close(loss(case.logits, case.labels, case.maps), expected)


def test_a_sample_without_lesion_has_the_whole_alone(scene, maps):
    case = scene()
    empty = torch.zeros_like(case.labels)
    logits = case.logits.requires_grad_()
    value = losses.create("connected_component")(logits, empty, maps(empty, 2))
    torch.testing.assert_close(value, 1 + losses.create("cross_entropy")(logits, empty))
    (gradient,) = torch.autograd.grad(value, logits)
    (entropy,) = torch.autograd.grad(losses.create("cross_entropy")(logits, empty), logits)
    torch.testing.assert_close(gradient, entropy)  # without smoothing Dice is silent


def test_a_cell_whose_lesion_lies_outside_the_crop_is_no_cell(scene, agree):
    case = scene(batch=1)
    case.labels, case.logits = case.labels[:, :, :5], case.logits[:, :, :, :5].contiguous()
    cells = case.maps["nearest_lesion"][:, :, :, :5].contiguous()
    inside = set(case.maps["lesion_id"][:, :, :, :5].unique().tolist())
    assert set(cells.unique().tolist()) - inside, "the scene has such a cell"
    case.maps = {"nearest_lesion": cells}
    agree(losses.create("connected_component"), lambda p, y: naive(p, y, cells), case)


def test_a_perfect_mask_costs_nothing_and_each_cell_counts_alike(certain, maps):
    labels = torch.zeros(1, 24, 24, dtype=torch.int64)
    labels[:, 2:10, 2:10] = 1
    labels[:, 18:20, 18:20] = 1
    made = maps(labels, 2)
    loss = losses.create("connected_component")
    assert loss(certain(labels), labels, made).item() == pytest.approx(0, abs=1e-6)
    whole = losses.create("connected_component", component_weight=0.0)
    for missed in (1, 2):
        lesion, cell = (made[key][:, 0] == missed for key in ("lesion_id", "nearest_lesion"))
        found = certain(torch.where(lesion, 0, labels))
        components = loss(found, labels, made) - whole(found, labels, made)
        # One cell of two has Dice 1 and a cross entropy of 60 in its lesion's voxels; the other is perfect.
        assert components.item() == pytest.approx((1 + 60 * lesion.sum().item() / cell.sum().item()) / 2)


def test_numbers_of_a_crop_need_not_be_consecutive(scene):
    case = scene()
    loss = losses.create("connected_component")
    cells = case.maps["nearest_lesion"]
    value = loss(case.logits, case.labels, {"nearest_lesion": torch.where(cells > 0, 3 * cells + 50, 0).int()})
    torch.testing.assert_close(loss(case.logits, case.labels, case.maps), value)


def test_gradcheck(scene, small):
    case = small(scene(3, 2, ignore=True, batch=1))
    loss = losses.create("connected_component")
    assert torch.autograd.gradcheck(lambda x: loss(x, case.labels, case.maps), (case.logits.requires_grad_(),))


@pytest.mark.parametrize("parameter", ["component_weight", "smooth"])
def test_parameters_outside_their_domain_are_refused(parameter):
    with pytest.raises(LossError, match=f"connected_component: {parameter} must be a number >= 0, got -1"):
        losses.create("connected_component", **{parameter: -1})
