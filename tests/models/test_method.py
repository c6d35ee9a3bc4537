"""A method: terms, their weighted sum, probabilities."""

from __future__ import annotations

import pytest
import torch

import losses
import models
from models import Batch, Method, ModelError, Term


def make(loss=None):
    backbone = models.create_backbone("residual_unet", in_channels=1, classes=2, spatial_dims=3, widths=(4, 8))
    models.initialise(backbone, seed=0)
    return Method(backbone, loss or losses.create("dice"))


def regressed(name, loss="dice", **parameters):
    """A method with a regressor."""
    backbone = make().backbone
    regressor = models.create_regressor(name, **parameters)
    regressor.attach(backbone, 2, 3)
    models.initialise(backbone, seed=0)
    models.initialise(regressor, seed=0)
    return Method(backbone, None if loss is None else losses.create(loss), regressor)


def batch_for(method):
    """The batch with a map of ones wherever one is wanted."""
    given = batch()
    return Batch(given.image, given.labels, {name: torch.ones(2, 1, 8, 8, 4) for name in method.required_maps})


def batch():
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, 1, 8, 8, 4, generator=generator)
    return Batch(image, torch.randint(-1, 2, (2, 8, 8, 4), generator=generator))


def test_the_term_is_the_loss_of_the_logits():
    method, given = make(), batch()
    terms = method.training_terms(given)
    assert list(terms) == ["segmentation"]
    expected = method.loss(method.backbone(given.image).logits, given.labels)
    torch.testing.assert_close(terms["segmentation"].value, expected)


def test_the_objective_is_the_weighted_sum_of_its_terms():
    terms = {"one": Term(torch.tensor(2.0), 1.0), "two": Term(torch.tensor(3.0), 0.5)}
    assert make().objective(terms) == 3.5


def test_training_lowers_the_objective():
    method, given = make(), batch()
    optimiser = torch.optim.Adam(method.parameters(), 1e-2)
    history = []
    for _ in range(12):
        objective = method.objective(method.training_terms(given))
        optimiser.zero_grad()
        objective.backward()
        optimiser.step()
        history.append(objective.item())
    assert history[-1] < history[0] - 0.02


def test_segment_gives_float32_probabilities_without_a_graph():
    method, given = make(), batch()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        probabilities = method.segment(given.image)
    assert probabilities.shape == (2, 2, 8, 8, 4)
    assert probabilities.dtype == torch.float32
    assert not probabilities.requires_grad
    torch.testing.assert_close(probabilities.sum(1), torch.ones(2, 8, 8, 4))


def test_maps_that_the_loss_wants_are_named_and_passed_on():
    class WantsMap(losses.Loss):
        required_maps = ("distance",)

        def compute(self, logits, labels, maps, voxel_weight):
            return (logits[:, 1:] * maps["distance"]).mean()

    method, given = make(WantsMap()), batch()
    assert method.required_maps == ("distance",)
    with_map = Batch(given.image, given.labels, {"distance": torch.ones(2, 1, 8, 8, 4)})
    logits = method.backbone(given.image).logits
    torch.testing.assert_close(method.training_terms(with_map)["segmentation"].value, logits[:, 1].mean())


def test_every_loss_starts_from_the_same_weights():
    one, other = make(losses.create("dice")), make(losses.create("cross_entropy"))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_a_method_needs_a_loss_or_a_regressor():
    with pytest.raises(ModelError, match="a method needs a loss, a regressor or both"):
        Method(make().backbone, None)


def test_maps_of_loss_and_regressor_are_wanted_once_each():
    assert regressed("lr_net", "boundary").required_maps == ("signed_distance", "norm_inverse")
    assert regressed("lr_net", "boundary", map="signed_distance").required_maps == ("signed_distance",)
    assert regressed("lr_net", None).required_maps == ("norm_inverse",)


@pytest.mark.parametrize("name", models.available_regressors())
def test_with_a_regressor_the_loss_is_one_term_of_several(name):
    method = regressed(name)
    given = batch_for(method)
    terms = method.training_terms(given)
    expected = method.loss(method.backbone(given.image).logits, given.labels)
    torch.testing.assert_close(terms["segmentation"].value, expected)
    assert terms["regression"].value > 0


@pytest.mark.parametrize("name", models.available_regressors())
def test_without_a_loss_the_regression_is_trained_alone(name):
    method = regressed(name, None)
    assert "segmentation" not in method.training_terms(batch_for(method))


@pytest.mark.parametrize("name", models.available_regressors())
def test_gradient_shares_are_those_of_the_weighted_terms_and_sum_to_one(name):
    method = regressed(name, alpha=3.0)
    terms = method.training_terms(batch_for(method))
    facts = method.gradient_facts(terms)
    assert facts["segmentation_gradient_share"] + facts["regression_gradient_share"] == pytest.approx(1)
    assert facts["regression_reach"] > 0
    norms = {}
    for term, (value, weight) in terms.items():
        method.zero_grad()
        (weight * value).backward(retain_graph=True)
        gradients = [one.grad.norm() for one in method.backbone.parameters() if one.grad is not None]
        norms[term] = float(torch.stack(gradients).norm()) if gradients else 0.0
    expected = norms["regression"] / (norms["segmentation"] + norms["regression"])
    assert facts["regression_gradient_share"] == pytest.approx(expected, rel=1e-4)


def test_looking_at_the_gradients_changes_none_and_leaves_the_graph():
    method = regressed("lr_net")
    terms = method.training_terms(batch_for(method))
    method.gradient_facts(terms)
    assert all(parameter.grad is None for parameter in method.parameters())
    method.objective(terms).backward()
    with_facts = [parameter.grad for parameter in method.parameters()]
    other = regressed("lr_net")
    other.objective(other.training_terms(batch_for(other))).backward()
    assert all(torch.equal(one, two.grad) for one, two in zip(with_facts, other.parameters(), strict=True))


def test_a_dead_head_reaches_no_voxel_and_has_no_share():
    method = regressed("lr_net", head="relu")
    last = method.regressor.network.out[-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.constant_(last.bias, -1)
    facts = method.gradient_facts(method.training_terms(batch_for(method)))
    assert facts == {"segmentation_gradient_share": 1, "regression_gradient_share": 0, "regression_reach": 0}


def test_a_voxel_is_reached_where_its_gradient_passes_the_head():
    class FirstQuarter(torch.nn.Module):
        """Above 0 in a quarter of the voxels only."""

        def forward(self, probabilities):
            raw = torch.full_like(probabilities[:, 1:], -1.0)
            raw[:, :, :2] = 0.5
            return raw + 0 * probabilities[:, 1:]

    method = regressed("lr_net", head="relu")
    method.regressor.network = FirstQuarter()
    given = batch_for(method)
    facts = method.gradient_facts(method.training_terms(given))
    counted = (given.labels[:, :2] >= 0).sum() / given.labels.numel()
    assert facts["regression_reach"] == pytest.approx(float(counted))


def test_the_regression_alone_has_all_of_the_gradient():
    method = regressed("lr_net", None)
    facts = method.gradient_facts(method.training_terms(batch_for(method)))
    assert facts["regression_gradient_share"] == 1
    assert "segmentation_gradient_share" not in facts


def test_without_a_regressor_there_is_nothing_to_say_of_gradients():
    method = make()
    assert method.gradient_facts(method.training_terms(batch())) == {}


@pytest.mark.parametrize("name", ["lr_net", "multi_branch"])
def test_a_regressor_shifts_no_first_weight_and_no_probability(name):
    image = batch().image
    assert torch.equal(regressed(name).segment(image), make().segment(image))
