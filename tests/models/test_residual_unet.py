"""The shared backbone: the paper's size, one-line configuration, and what it refuses."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

import models
from models import ModelError
from models.layers import InstanceNorm3d, Layers


def make(dims=3, in_channels=1, classes=2, **parameters):
    return models.create_backbone(
        "residual_unet", in_channels=in_channels, classes=classes, spatial_dims=dims, **parameters
    )


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_papers_configuration_has_the_papers_number_of_parameters():
    assert count(make()) == 4_286_466


def test_the_default_blocks_are_the_papers_for_five_levels():
    resolved = models.resolve_backbone({"name": "residual_unet"})
    assert resolved == {
        "name": "residual_unet",
        "widths": [8, 16, 32, 64, 128],
        "encoder_blocks": [2, 2, 3, 3],
        "decoder_blocks": [3, 3, 2, 2],
        "affine": False,
        "linear_head": False,
    }


def test_a_small_network_is_one_line():
    resolved = models.resolve_backbone({"name": "residual_unet", "widths": (8, 16, 32)})
    assert (resolved["encoder_blocks"], resolved["decoder_blocks"]) == ([2, 2], [2, 2])
    assert make(widths=(8, 16, 32)).patch_divisor == (4, 4, 4)


def test_blocks_can_be_chosen():
    more = make(widths=(4, 8, 16), encoder_blocks=[1, 4], decoder_blocks=[2, 1])
    blocks = [len(level) - 1 for level in list(more.encoder.levels)[1:]], [len(row) for row in more.decoder.rows]
    assert blocks == ([1, 4], [2, 1])


@pytest.mark.parametrize(("dims", "space"), [(2, (32, 48)), (3, (32, 16, 48))])
def test_logits_and_features_have_the_size_of_the_image(dims, space):
    backbone = make(dims, in_channels=2, classes=3)
    output = backbone(torch.randn(2, 2, *space))
    assert output.logits.shape == (2, 3, *space)
    assert output.features.shape == (2, 8, *space)


def test_the_encoder_gives_every_level_at_half_the_size_of_the_one_above():
    backbone = make(widths=(4, 8, 16))
    levels = backbone.encoder(torch.randn(1, 1, 16, 16, 8))
    assert [tuple(level.shape[1:]) for level in levels] == [(4, 16, 16, 8), (8, 8, 8, 4), (16, 4, 4, 2)]


def test_two_decoders_share_one_encoder():
    backbone = make(widths=(4, 8, 16))
    levels = backbone.encoder(torch.randn(1, 1, 8, 8, 8))
    other = type(backbone.decoder)(Layers(3, affine=False), (4, 8, 16), (1, 1))
    backbone.head(other(levels) + backbone.decoder(levels)).sum().backward()
    assert all(parameter.grad is not None for parameter in [*backbone.parameters(), *other.parameters()])


def test_logits_are_raw():
    logits = make(widths=(4, 8))(torch.randn(1, 1, 8, 8, 8)).logits
    assert not torch.allclose(logits.sum(1), torch.ones(1, 8, 8, 8))
    assert logits.min() < 0


def test_only_the_papers_layers_are_used():
    layers = {type(layer) for layer in make().modules() if not list(layer.children())}
    assert layers == {nn.Conv3d, nn.ConvTranspose3d, InstanceNorm3d, nn.ReLU, nn.MaxPool3d, nn.Identity}
    assert not any(layer.affine for layer in make().modules() if isinstance(layer, InstanceNorm3d))


@pytest.mark.parametrize("training", [True, False])
def test_a_patch_of_one_voxel_at_the_lowest_level_is_refused_in_words(training):
    backbone = make(widths=(4, 8, 16)).train(training)
    message = "a patch of (4, 4, 4) is one voxel at the lowest level"
    with pytest.raises(ModelError, match=re.escape(message)):
        backbone(torch.zeros(1, 1, 4, 4, 4))
    assert backbone(torch.zeros(1, 1, 4, 4, 8)).logits.isfinite().all()


def test_a_patch_that_is_no_multiple_is_refused():
    message = "every axis of the patch must be a multiple of (4, 4, 4), got (8, 8, 10)"
    with pytest.raises(ModelError, match=re.escape(message)):
        make(widths=(4, 8, 16))(torch.zeros(1, 1, 8, 8, 10))


@pytest.mark.parametrize("shape", [(1, 2, 8, 8, 8), (1, 1, 8, 8), (1, 8, 8, 8)])
def test_an_image_of_other_channels_or_axes_is_refused(shape):
    with pytest.raises(ModelError, match=re.escape(f"the image must be (B, 1, *S) with S of 3 axes, got {shape}")):
        make(widths=(4, 8))(torch.zeros(shape))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"widths": (8,)}, "widths must be a list of 2 or more whole numbers >= 1, got (8,)"),
        ({"widths": 8}, "widths must be a list of 2 or more whole numbers >= 1, got 8"),
        ({"widths": "8, 16"}, "widths must be a list of 2 or more whole numbers >= 1, got '8, 16'"),
        ({"widths": (8, 16.0)}, "widths must be a list of 2 or more whole numbers >= 1, got (8, 16.0)"),
        ({"widths": (8, True)}, "widths must be a list of 2 or more whole numbers >= 1, got (8, True)"),
        ({"encoder_blocks": (2, 2)}, "encoder_blocks must be a list of 4 whole numbers >= 1, got (2, 2)"),
        ({"decoder_blocks": (1, 1, 1, 0)}, "decoder_blocks must be a list of 4 whole numbers >= 1, got (1, 1, 1, 0)"),
    ],
)
def test_parameters_outside_their_domain_are_refused(parameters, message):
    with pytest.raises(ModelError, match=re.escape(f"residual_unet: {message}")):
        make(**parameters)


def test_resolving_refuses_what_making_would_refuse():
    with pytest.raises(ModelError, match="widths must be a list"):
        models.resolve_backbone({"name": "residual_unet", "widths": (8,)})


def test_a_linear_head_and_affine_normalisation_are_chosen_in_the_suite():
    plain, changed = make(widths=(4, 8)), make(widths=(4, 8), affine=True, linear_head=True)
    assert [type(layer) for layer in changed.head] == [nn.Conv3d]
    assert not any(name.startswith("encoder.levels.0.1") for name, _ in plain.named_parameters())
    assert any(name.startswith("encoder.levels.0.1") for name, _ in changed.named_parameters())
