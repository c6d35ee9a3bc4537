"""MONAI's networks as backbones: what is filled in, what is found out, what is refused."""

from __future__ import annotations

import re

import pytest
import torch

import models
from models import ModelError

DYNUNET = {
    "class": "DynUNet",
    "kernel_size": (3, 3, 3),
    "strides": (1, 2, 2),
    "upsample_kernel_size": (2, 2),
    "filters": (4, 8, 16),
}
UNET = {"class": "UNet", "channels": (4, 8, 16), "strides": (2, 2)}


def make(dims=3, in_channels=1, classes=2, **parameters):
    return models.create_backbone("monai", in_channels=in_channels, classes=classes, spatial_dims=dims, **parameters)


def refused(message):
    return pytest.raises(ModelError, match=re.escape(message))


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("parameters", [DYNUNET, UNET, {"class": "SegResNet", "init_filters": 8}])
def test_dimensions_and_channels_are_filled_in(dims, parameters):
    backbone = make(dims, in_channels=2, classes=3, **parameters)
    image = torch.randn(1, 2, *[16] * dims)
    output = backbone(image)
    assert output.logits.shape == (1, 3, *[16] * dims)
    assert output.features is None
    assert not backbone.separable


@pytest.mark.parametrize(
    ("parameters", "divisor"),
    [
        (DYNUNET, (4, 4, 4)),
        ({**DYNUNET, "strides": (1, (1, 2, 2), 2), "upsample_kernel_size": ((1, 2, 2), 2)}, (2, 4, 4)),
        (UNET, (4, 4, 4)),
        ({"class": "SegResNet", "init_filters": 8}, (8, 8, 8)),
        ({"class": "VNet"}, (16, 16, 16)),
        ({"class": "BasicUNet", "features": (4, 4, 4, 4, 4, 4)}, (1, 1, 1)),
    ],
)
def test_what_a_patch_must_be_a_multiple_of_is_found_out(parameters, divisor):
    assert make(**parameters).patch_divisor == divisor


def test_the_divisor_can_be_given():
    assert make(**UNET, patch_divisor=(8, 8, 16)).patch_divisor == (8, 8, 16)
    for wrong in ((8, 8), (8, 8, 0), "888", (8, 8, 2.0)):
        with refused(f"monai UNet: patch_divisor must be 3 whole numbers >= 1, got {wrong!r}"):
            make(**UNET, patch_divisor=wrong)


def test_a_patch_that_is_no_multiple_is_refused_before_the_network_stumbles():
    with refused("monai UNet: every axis of the patch must be a multiple of (4, 4, 4), got (8, 8, 6)"):
        make(**UNET)(torch.zeros(1, 1, 8, 8, 6))


def test_the_one_output_of_a_list_is_taken():
    backbone = make(**{"class": "BasicUNetPlusPlus", "features": (4, 4, 4, 4, 4, 4)})
    assert backbone(torch.randn(1, 1, 32, 32, 32)).logits.shape == (1, 2, 32, 32, 32)


def test_deep_supervision_is_refused_when_the_network_is_made():
    with refused("a tensor (1, 2, 2, 192, 192, 192), expected (1, 2, 192, 192, 192)"):
        make(**DYNUNET, deep_supervision=True, deep_supr_num=1)


def test_deep_supervision_is_refused_in_training_where_the_divisor_was_given():
    backbone = make(**DYNUNET, deep_supervision=True, deep_supr_num=1, patch_divisor=(4, 4, 4))
    with refused("the network returned a tensor (1, 2, 2, 16, 16, 16), expected (1, 2, 16, 16, 16)"):
        backbone.train()(torch.zeros(1, 1, 16, 16, 16))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "monai: say which network with `class`, such as {name: monai, class: UNet}"),
        ({"class": "SegResNett"}, "monai: monai.networks.nets has no network 'SegResNett'. Did you mean 'SegResNet'?"),
        (
            {"class": "UNet", "channels": (4, 8), "stride": (2,)},
            "monai UNet: no parameter 'stride'. Did you mean 'strides'? Allowed: channels, strides",
        ),
        ({"class": "UNet", "out_channels": 3}, "monai UNet: 'out_channels' is set for you; remove it"),
        ({"class": "UNet", "channels": (4, 8), "strides": ()}, "monai UNet: cannot be made with"),
        ({"class": "DenseNet121"}, "monai DenseNet121: no patch size was found"),
    ],
)
def test_what_monai_cannot_make_is_refused(parameters, message):
    with refused(message):
        make(**parameters)


def test_making_a_network_leaves_the_random_state_alone():
    state = torch.random.get_rng_state()
    make(**UNET)
    assert torch.equal(state, torch.random.get_rng_state())
