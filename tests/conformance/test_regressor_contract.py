"""Every regressor that can be chosen by name keeps the contract, those of other distributions included."""

from __future__ import annotations

import inspect

import pytest

import models
from losses import target_maps
from models.regressor_contract import check

NAMES = models.available_regressors()
HEADS = [(kind, head) for kind in target_maps.available() for head in target_maps.describe(kind).heads]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_every_registered_regressor_keeps_the_contract(name, spatial_dims):
    check(name, spatial_dims=[spatial_dims])


@pytest.mark.parametrize(("kind", "head"), HEADS)
@pytest.mark.parametrize("frozen", [True, False])
def test_a_tandem_keeps_the_contract_with_every_map_and_head(kind, head, frozen):
    check("lr_net", {"map": kind, "head": head, "frozen": frozen})


@pytest.mark.parametrize(("kind", "head"), HEADS)
def test_a_second_branch_keeps_the_contract_with_every_map_and_head(kind, head):
    check("multi_branch", {"map": kind, "head": head}, classes=[2], spatial_dims=[2])


@pytest.mark.parametrize("name", NAMES)
def test_documentation_has_formula_source_and_the_errors(name):
    description = models.describe_regressor(name)
    assert description.formula, f"{description.where}: no paragraph of the docstring begins with 'L = '"
    for part in ("Source: ", "Raises", "`ModelError`"):
        assert part in inspect.cleandoc(description.documentation), f"{description.where}: the docstring lacks {part!r}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reduction", ["mean", "foreground"])
def test_every_reduction_keeps_the_contract(name, reduction):
    check(name, {**models.describe_regressor(name).example, "reduction": reduction}, classes=[3], spatial_dims=[2])
