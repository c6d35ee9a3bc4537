"""Multi-branch: the learned weights of its objective, and what the two decoders share."""

from __future__ import annotations

import math
import re

import pytest
import torch
import torch.nn.functional as F

import losses
import models
from losses import target_maps
from models import Batch, Method, ModelError


def make(loss="dice", classes=2, **parameters):
    backbone = models.create_backbone("residual_unet", in_channels=1, classes=classes, spatial_dims=3, widths=(4, 8))
    regressor = models.create_regressor("multi_branch", **parameters)
    regressor.attach(backbone, classes, 3)
    models.initialise(backbone, seed=0)
    models.initialise(regressor, seed=0)
    return Method(backbone, None if loss is None else losses.create(loss), regressor)


def batch(kind="signed_norm_inverse"):
    generator = torch.Generator().manual_seed(0)
    labels = torch.zeros(2, 8, 8, 8, dtype=torch.long)
    labels[:, 2:6, 2:6, 3:6] = 1
    target = torch.from_numpy(target_maps.compute(kind, labels[0].numpy()))
    return Batch(torch.randn(2, 1, 8, 8, 8, generator=generator), labels, {kind: target.expand(2, 1, 8, 8, 8)})


def set_scales(method, first, second):
    with torch.no_grad():
        method.regressor.log_scales.copy_(torch.tensor([first, second]))


def test_the_objective_is_the_written_formula():
    method, given = make(alpha=2.0), batch()
    set_scales(method, 0.3, -0.7)
    levels = method.backbone.encoder(given.image)
    logits = method.backbone.head(method.backbone.decoder(levels))
    regressed = torch.tanh(method.regressor.second_head(method.regressor.second_decoder(levels)))
    of_loss = method.loss(logits, given.labels)
    of_map = F.l1_loss(regressed, given.maps["signed_norm_inverse"])
    expected = math.exp(-0.3) * of_loss + 2 * math.exp(0.7) * of_map + 0.3 - 0.7
    torch.testing.assert_close(method.objective(method.training_terms(given)), expected)


def test_at_the_start_it_is_the_plain_sum():
    terms = make().training_terms(batch())
    assert make().objective(terms) == terms["segmentation"].value + terms["regression"].value


def test_without_a_loss_its_scale_is_not_learned():
    method = make(loss=None)
    set_scales(method, 5.0, 0.5)
    terms = method.training_terms(batch())
    assert list(terms) == ["regression", "log_scales"]
    expected = math.exp(-0.5) * terms["regression"].value + 0.5
    torch.testing.assert_close(method.objective(terms), expected)
    method.objective(terms).backward()
    assert method.regressor.log_scales.grad[0] == 0


def test_each_scale_learns_the_size_of_its_term():
    regressor = make().regressor
    optimiser = torch.optim.SGD([regressor.log_scales], 0.2)
    for _ in range(100):
        terms = regressor.terms(torch.tensor(2.0), torch.tensor(0.1))
        objective = sum(term.weight * term.value for term in terms.values())
        optimiser.zero_grad()
        objective.backward()
        optimiser.step()
    torch.testing.assert_close(regressor.log_scales.exp(), torch.tensor([2.0, 0.1]), rtol=1e-3, atol=0)


def test_the_second_decoder_has_the_shape_of_the_first_and_starts_with_other_weights():
    method = make()
    first, second = method.backbone.decoder.state_dict(), method.regressor.second_decoder.state_dict()
    assert {name: one.shape for name, one in first.items()} == {name: one.shape for name, one in second.items()}
    drawn = [name for name in first if name.endswith("weight")]
    assert drawn
    assert not any(torch.equal(first[name], second[name]) for name in drawn)


def test_the_regression_pulls_at_the_encoder_and_not_at_the_first_decoder():
    method = make()
    method.training_terms(batch())["regression"].value.backward()
    assert any(
        parameter.grad is not None and parameter.grad.any() for parameter in method.backbone.encoder.parameters()
    )
    for part in (method.backbone.decoder, method.backbone.head):
        assert all(parameter.grad is None for parameter in part.parameters())


def test_the_loss_pulls_at_the_encoder_and_not_at_the_second_decoder():
    method = make()
    method.training_terms(batch())["segmentation"].value.backward()
    assert any(
        parameter.grad is not None and parameter.grad.any() for parameter in method.backbone.encoder.parameters()
    )
    for part in (method.regressor.second_decoder, method.regressor.second_head):
        assert all(parameter.grad is None for parameter in part.parameters())


def test_the_backbone_keeps_nothing_of_it():
    plain = models.create_backbone("residual_unet", in_channels=1, classes=2, spatial_dims=3, widths=(4, 8))
    models.initialise(plain, seed=0)
    attached = make().backbone.state_dict()
    assert attached.keys() == plain.state_dict().keys()
    assert all(torch.equal(one, attached[name]) for name, one in plain.state_dict().items())


@pytest.mark.parametrize("classes", [2, 4])
def test_there_is_one_map_per_foreground_class(classes):
    method = make(classes=classes)
    assert method.regressor(method.backbone, batch().image).values.shape == (2, classes - 1, 8, 8, 8)


def test_a_backbone_that_shows_no_parts_is_refused():
    backbone = models.create_backbone(
        "monai", in_channels=1, classes=2, spatial_dims=3, **{"class": "UNet", "channels": (4, 8), "strides": (2,)}
    )
    message = "multi_branch: needs a backbone that shows its encoder, decoder and head, got 'monai UNet'; use residual"
    with pytest.raises(ModelError, match=re.escape(message)):
        models.create_regressor("multi_branch").attach(backbone, 2, 3)


def test_it_has_no_stage_of_its_own():
    assert models.create_regressor("multi_branch").pretraining is None
    with pytest.raises(ModelError, match=r"multi_branch: needs a backbone .* got none"):
        models.create_regressor("multi_branch").attach(None, 2, 3)
