"""LR-Net in tandem: what it adds to the objective, what is frozen, what decides its pre-training."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import losses
import models
from losses import target_maps
from models import Batch, Method

UNET = {"name": "residual_unet", "widths": (4, 8)}
MONAI = {"name": "monai", "class": "UNet", "channels": (4, 8), "strides": (2,)}


def make(backbone=UNET, classes=2, **parameters):
    made = models.create_backbone(**backbone, in_channels=1, classes=classes, spatial_dims=3)
    regressor = models.create_regressor("lr_net", **parameters)
    regressor.attach(made, classes, 3)
    models.initialise(made, seed=0)
    models.initialise(regressor, seed=0)
    return Method(made, losses.create("dice"), regressor)


def batch(kind="norm_inverse", lesion=1):
    generator = torch.Generator().manual_seed(0)
    labels = torch.zeros(2, 8, 8, 8, dtype=torch.long)
    labels[:, 2:6, 2:6, 3:6] = lesion
    target = torch.from_numpy(target_maps.compute(kind, labels[0].numpy()))
    maps = {kind: target.expand(2, 1, 8, 8, 8)}
    return Batch(torch.randn(2, 1, 8, 8, 8, generator=generator), labels, maps)


@pytest.mark.parametrize("backbone", [UNET, MONAI], ids=["residual_unet", "monai"])
def test_the_objective_is_loss_plus_alpha_times_smooth_l1_behind_the_softmax_of_any_backbone(backbone):
    method, given = make(backbone, alpha=10.0), batch()
    logits = method.backbone(given.image).logits
    regressed = torch.relu(method.regressor.network(torch.softmax(logits, 1)))
    expected = method.loss(logits, given.labels) + 10 * F.smooth_l1_loss(regressed, given.maps["norm_inverse"])
    torch.testing.assert_close(method.objective(method.training_terms(given)), expected)


@pytest.mark.parametrize(
    ("kind", "head", "function"),
    [
        ("norm_inverse", "relu", torch.relu),
        ("norm_inverse", "sigmoid", torch.sigmoid),
        ("signed_norm_inverse", "tanh", torch.tanh),
        ("signed_distance", "linear", lambda values: values),
    ],
)
def test_the_head_is_the_last_activation(kind, head, function):
    regressor = make(map=kind, head=head).regressor
    probabilities = torch.rand(1, 2, 4, 4, 4)
    assert torch.equal(regressor.regress(probabilities), function(regressor.network(probabilities)))


def test_a_reference_mask_is_regressed_from_its_one_hot_probabilities():
    regressor, labels = make(classes=3).regressor, torch.randint(0, 3, (2, 4, 4, 4))
    probabilities = torch.stack([labels == c for c in range(3)], 1).float()
    assert torch.equal(regressor.reconstruct(labels), regressor.regress(probabilities))


def test_frozen_weights_let_the_gradient_through_and_get_none():
    method = make()
    method.regressor.freeze()
    method.train()
    method.training_terms(batch())["regression"].value.backward()
    assert all(parameter.grad is None for parameter in method.regressor.parameters())
    assert any(parameter.grad.any() for parameter in method.backbone.parameters())


def test_frozen_weights_stay_in_evaluation_mode_until_the_end():
    method = make()
    assert method.train().regressor.network.training
    method.regressor.freeze()
    assert not method.train().regressor.network.training
    assert method.backbone.training


def test_before_it_is_frozen_it_learns():
    method = make(frozen=False)
    method.training_terms(batch())["regression"].value.backward()
    assert all(parameter.grad is not None for parameter in method.regressor.parameters())


def test_false_positives_cost_where_the_target_is_empty():
    given = batch(lesion=0)
    assert not given.maps["norm_inverse"].any()
    assert make().training_terms(given)["regression"].value > 0


def test_its_pretraining_is_decided_by_what_the_network_is_and_how_it_is_trained():
    regressor = models.create_regressor("lr_net", head="sigmoid", norm="none", alpha=1000.0, reduction="foreground")
    assert regressor.pretraining == {
        "name": "lr_net",
        "map": "norm_inverse",
        "head": "sigmoid",
        "norm": "none",
        "steps": 1000,
        "learning_rate": 1e-3,
    }


def test_one_that_is_trained_together_has_no_pretraining_and_none_of_its_parameters():
    assert models.create_regressor("lr_net", frozen=False).pretraining is None
    resolved = models.resolve_regressor({"name": "lr_net", "frozen": False, "pretraining_steps": 5})
    assert resolved == models.resolve_regressor({"name": "lr_net", "frozen": False})
    assert not {key for key in resolved if key.startswith("pretraining")}


def test_resolving_spells_out_the_head():
    assert models.resolve_regressor({"name": "lr_net"})["head"] == "relu"
    assert models.resolve_regressor({"name": "lr_net", "map": "signed_norm_inverse"})["head"] == "tanh"


@pytest.mark.parametrize(("norm", "count"), [("instance", 12), ("none", 0)])
def test_normalisation_is_a_parameter(norm, count):
    network = make(norm=norm).regressor.network
    assert sum(isinstance(layer, torch.nn.InstanceNorm3d) for layer in network.modules()) == count
