"""Every backbone that can be chosen by name keeps the contract, those of other distributions included."""

from __future__ import annotations

import inspect

import pytest

import models
from models.contract import check


@pytest.mark.parametrize("name", models.available_backbones())
@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_every_registered_backbone_keeps_the_contract(name, spatial_dims):
    check(name, spatial_dims=[spatial_dims])


@pytest.mark.parametrize("name", models.available_backbones())
def test_documentation_has_the_shapes_and_the_errors(name):
    description = models.describe_backbone(name)
    for part in ("(B, in_channels, *S)", "Raises `ModelError`"):
        assert part in inspect.cleandoc(description.documentation), f"{description.where}: the docstring lacks {part!r}"


@pytest.mark.parametrize("name", models.available_backbones())
def test_a_resolved_specification_resolves_to_itself(name):
    resolved = models.resolve_backbone({"name": name, **models.describe_backbone(name).example})
    assert models.resolve_backbone(resolved) == resolved
