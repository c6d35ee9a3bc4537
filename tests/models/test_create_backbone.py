"""Backbones by name."""

from __future__ import annotations

import re

import pytest

import models
from models import ModelError

GOOD = {"in_channels": 1, "classes": 2, "spatial_dims": 3}


def refused(message):
    return pytest.raises(ModelError, match=re.escape(message))


def test_an_unknown_backbone_suggests_the_nearest():
    with refused("unknown backbone 'residual_net'. Did you mean 'residual_unet'? Known: monai, residual_unet"):
        models.create_backbone("residual_net", **GOOD)


def test_an_unknown_parameter_suggests_the_nearest():
    with refused("backbone 'residual_unet' has no parameter 'width'. Did you mean 'widths'?"):
        models.create_backbone("residual_unet", **GOOD, width=(8, 16))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"in_channels": 0}, "in_channels must be a whole number >= 1, got 0"),
        ({"classes": 1}, "classes must be a whole number >= 2, got 1"),
        ({"classes": True}, "classes must be a whole number >= 2, got True"),
        ({"spatial_dims": 4}, "spatial_dims must be 2 or 3, got 4"),
    ],
)
def test_what_the_data_sets_is_checked(wrong, message):
    with refused(f"backbone 'residual_unet': {message}"):
        models.create_backbone("residual_unet", **{**GOOD, **wrong})


@pytest.mark.parametrize("key", GOOD)
def test_a_suite_cannot_set_what_the_data_sets(key):
    with refused(f"no parameter {key!r}. It is set for you"):
        models.resolve_backbone({"name": "residual_unet", key: 2})


def test_a_specification_without_a_name_is_refused():
    with refused("expected a backbone such as {name: residual_unet}, got {'widths': (8, 16)}"):
        models.resolve_backbone({"widths": (8, 16)})
