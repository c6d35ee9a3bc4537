"""Regressors by name."""

from __future__ import annotations

import re

import pytest

import models
from models import ModelError


def refused(message):
    return pytest.raises(ModelError, match=re.escape(message))


def test_an_unknown_regressor_suggests_the_nearest():
    with refused("unknown regressor 'lrnet'. Did you mean 'lr_net'? Known: cascaded, lr_net, multi_branch"):
        models.create_regressor("lrnet")


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("lr_net", "alfa", "Did you mean 'alpha'? Allowed: map, head, alpha, reduction, frozen, norm"),
        ("cascaded", "truncation", "Did you mean 'truncation_mm'? Allowed: truncation_mm, alpha, reduction"),
        ("multi_branch", "maps", "Did you mean 'map'? Allowed: map, head, alpha, reduction"),
    ],
)
def test_an_unknown_parameter_suggests_the_nearest_and_names_what_is_allowed(name, wrong, message):
    with refused(f"regressor {name!r} has no parameter {wrong!r}. {message}"):
        models.create_regressor(name, **{wrong: 1})


@pytest.mark.parametrize(
    "make", [models.create_regressor, lambda name, **rest: models.resolve_regressor({"name": name, **rest})]
)
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"map": "norm_inverted"}, "lr_net: map: unknown target map 'norm_inverted'. Did you mean 'norm_inverse'?"),
        ({"map": "lesion_id"}, "lr_net: the map 'lesion_id' is nothing to regress; use one of"),
        ({"head": "tanh"}, "lr_net: head 'tanh' cannot give the values of 'norm_inverse', which lie in 0..1; use relu"),
        ({"alpha": 0}, "lr_net: alpha must be a number > 0, got 0"),
        ({"reduction": "sum"}, "lr_net: reduction must be 'mean' or 'foreground', got 'sum'"),
        ({"frozen": "yes"}, "lr_net: frozen must be true or false, got 'yes'"),
        ({"norm": "batch"}, "lr_net: norm must be 'instance' or 'none', got 'batch'"),
        ({"pretraining_steps": 0}, "lr_net: pretraining_steps must be a whole number >= 1, got 0"),
        ({"pretraining_rate": -1.0}, "lr_net: pretraining_rate must be a number > 0, got -1.0"),
    ],
)
def test_values_outside_their_domain_are_refused_when_made_and_when_resolved(make, parameters, message):
    with refused(message):
        make("lr_net", **parameters)


def test_a_specification_without_a_name_is_refused():
    with refused("expected a regressor such as {name: lr_net}, got {'alpha': 1}"):
        models.resolve_regressor({"alpha": 1})


def test_a_resolved_specification_has_every_default():
    assert models.resolve_regressor({"name": "cascaded", "alpha": 2}) == {
        "name": "cascaded",
        "truncation_mm": 10.0,
        "alpha": 2.0,
        "reduction": "mean",
    }
