"""Cascaded: a truncated signed distance first, the segmentation from it and the features."""

from __future__ import annotations

import re

import pytest
import torch

import losses
import models
from models import Batch, Method, ModelError
from models.regressor import Regressed

WIDTH = 4


def attached(classes=2, dims=3, widths=(WIDTH, 8), **parameters):
    backbone = models.create_backbone("residual_unet", in_channels=1, classes=classes, spatial_dims=dims, widths=widths)
    regressor = models.create_regressor("cascaded", **parameters)
    regressor.attach(backbone, classes, dims)
    models.initialise(backbone, seed=0)
    models.initialise(regressor, seed=0)
    return backbone, regressor


def error_of(regressor, values, target, labels=None):
    """Of values and distances along one line; both (B, K, N)."""
    given = Regressed(values, values)
    return float(
        regressor.error(given, target, torch.zeros(len(values), values.shape[2]) if labels is None else labels)
    )


def image():
    return torch.randn(2, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0))


def test_distances_are_in_units_of_the_truncation_and_count_no_more_than_it():
    _, regressor = attached(truncation_mm=10.0)
    target = torch.tensor([[[-30.0, -10.0, -5.0, 0.0, 2.5, 10.0, 25.0]]])
    exact = torch.tensor([[[-1.0, -1.0, -0.5, 0.0, 0.25, 1.0, 1.0]]])
    assert error_of(regressor, exact, target) == 0
    assert error_of(regressor, exact + 0.5, target) == pytest.approx(0.5)


def test_the_truncation_is_a_parameter():
    _, regressor = attached(truncation_mm=20.0)
    assert error_of(regressor, torch.tensor([[[0.5, -0.25]]]), torch.tensor([[[10.0, -5.0]]])) == 0


def test_it_wants_distances_in_mm():
    assert models.create_regressor("cascaded").required_maps == ("signed_distance_mm",)


def test_the_map_of_an_absent_class_counts_as_one_everywhere_and_the_others_stay():
    _, regressor = attached(classes=3, truncation_mm=10.0)
    target = torch.zeros(2, 2, 3)
    target[0, 0] = torch.tensor([-5.0, 0.0, 5.0])  # the first class of the first sample alone is there
    exact = torch.ones(2, 2, 3)
    exact[0, 0] = torch.tensor([-0.5, 0.0, 0.5])
    assert error_of(regressor, exact, target) == 0


def test_ignored_voxels_count_for_nothing():
    _, regressor = attached()
    labels = torch.tensor([[0, -1, 1]])
    target = torch.tensor([[[5.0, 0.0, -5.0]]])
    assert error_of(regressor, torch.tensor([[[0.5, 99.0, -0.5]]]), target, labels) == 0


def test_the_objective_is_loss_plus_alpha_times_the_mean_error():
    backbone, regressor = attached(alpha=0.5, truncation_mm=4.0)
    method = Method(backbone, losses.create("dice"), regressor)
    distance = 6 * torch.randn(2, 1, 8, 8, 8, generator=torch.Generator().manual_seed(1))
    given = Batch(image(), (distance[:, 0] <= 0).long(), {"signed_distance_mm": distance})
    output = backbone(given.image)
    regressed = torch.tanh(backbone.head.regression(output.features))
    expected = method.loss(output.logits, given.labels)
    expected = expected + 0.5 * (regressed - (distance / 4).clamp(-1, 1)).abs().mean()
    torch.testing.assert_close(method.objective(method.training_terms(given)), expected)


def test_all_its_weights_are_in_the_head_of_the_backbone():
    backbone, regressor = attached()
    assert not list(regressor.parameters())
    regressed = regressor(backbone, image())
    assert torch.equal(regressed.logits, backbone(image()).logits)
    assert {name.partition(".")[0] for name, _ in backbone.head.named_parameters()} == {"regression", "segmentation"}


@pytest.mark.parametrize(("classes", "dims"), [(2, 3), (4, 3), (2, 2)])
def test_the_head_is_two_three_wide_convolutions_with_a_channel_more_per_foreground_class(classes, dims):
    backbone, _ = attached(classes, dims)
    taps, maps = 3**dims, classes - 1
    regression, segmentation = WIDTH * maps * taps + maps, (WIDTH + maps) * classes * taps + classes
    counted = [sum(one.numel() for one in part.parameters()) for part in backbone.head.children()]
    assert counted == [regression, segmentation]


def test_the_papers_network_has_615_parameters_more_with_it():
    backbone, _ = attached(widths=(8, 16, 32, 64, 128))
    assert sum(parameter.numel() for parameter in backbone.parameters()) == 4_286_466 + 615


def test_the_segmentation_looks_at_the_map():
    backbone, _ = attached()
    features = backbone.decoder(backbone.encoder(image()))
    near, far = (backbone.head.segment(features, torch.full((2, 1, 8, 8, 8), value)) for value in (-1.0, 1.0))
    assert not torch.allclose(near, far)


def test_a_backbone_that_shows_no_parts_is_refused():
    backbone = models.create_backbone(
        "monai", in_channels=1, classes=2, spatial_dims=3, **{"class": "UNet", "channels": (4, 8), "strides": (2,)}
    )
    message = "cascaded: needs a backbone that shows its encoder, decoder and head, got 'monai UNet'; use residual_unet"
    with pytest.raises(ModelError, match=re.escape(message)):
        models.create_regressor("cascaded").attach(backbone, 2, 3)


@pytest.mark.parametrize("wrong", [0, -1.0, float("inf"), "10"])
def test_a_truncation_is_a_number_above_zero(wrong):
    with pytest.raises(ModelError, match=re.escape(f"cascaded: truncation_mm must be a number > 0, got {wrong!r}")):
        models.create_regressor("cascaded", truncation_mm=wrong)
