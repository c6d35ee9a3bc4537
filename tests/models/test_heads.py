"""Heads: which values they give, which head a map gets, and what says "inside"."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from losses import target_maps
from models import ModelError
from models.heads import HEADS, INSIDE, chosen_head, upright

MAPS = [kind for kind in target_maps.available() if target_maps.describe(kind).heads]
NO_TARGETS = [kind for kind in target_maps.available() if kind not in MAPS]


def refused(message):
    return pytest.raises(ModelError, match=re.escape(message))


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("linear", [-2.0, 0.0, 3.0]),
        ("relu", [0.0, 0.0, 3.0]),
        ("sigmoid", [0.1192, 0.5, 0.9526]),
        ("tanh", [-0.9640, 0.0, 0.9951]),
    ],
)
def test_a_head_is_the_function_of_its_name(head, expected):
    torch.testing.assert_close(HEADS[head](torch.tensor([-2.0, 0.0, 3.0])), torch.tensor(expected), atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", MAPS)
def test_without_a_choice_it_is_the_first_that_the_map_allows(kind):
    assert chosen_head("mine", kind, None) == target_maps.describe(kind).heads[0]


@pytest.mark.parametrize("kind", MAPS)
@pytest.mark.parametrize("head", HEADS)
def test_a_head_is_taken_exactly_where_the_map_allows_it(kind, head):
    if head in target_maps.describe(kind).heads:
        assert chosen_head("mine", kind, head) == head
    else:
        with refused(f"mine: head {head!r} cannot give the values of {kind!r}"):
            chosen_head("mine", kind, head)


@pytest.mark.parametrize("kind", MAPS)
def test_every_allowed_head_comes_near_every_value_of_the_map(kind):
    low, high = (max(-30.0, min(30.0, bound)) for bound in target_maps.describe(kind).value_range)
    for head in target_maps.describe(kind).heads:
        reached = HEADS[head](torch.linspace(-40, 40, 8001))
        assert float(reached.min()) <= low + 1e-6
        assert float(reached.max()) >= high - 1e-6


def test_a_refused_head_comes_with_the_values_and_the_heads_that_fit():
    with refused("lie in 0..1; use relu or sigmoid"):
        chosen_head("mine", "norm_inverse", "tanh")


def test_an_unknown_map_is_refused_with_the_nearest():
    with refused("mine: map: unknown target map 'norm_invers'. Did you mean 'norm_inverse'?"):
        chosen_head("mine", "norm_invers", None)


@pytest.mark.parametrize("kind", NO_TARGETS)
def test_a_map_that_is_no_regression_target_is_refused_with_those_that_are(kind):
    with refused(f"mine: the map {kind!r} is nothing to regress; use one of {', '.join(MAPS)}"):
        chosen_head("mine", kind, None)


def test_every_head_says_which_values_are_inside_a_lesion():
    assert INSIDE.keys() == HEADS.keys()
    assert all(float(HEADS[head](torch.tensor(-9.0))) <= threshold for head, threshold in INSIDE.items())
    assert all(float(HEADS[head](torch.tensor(9.0))) > threshold for head, threshold in INSIDE.items())


@pytest.mark.parametrize("kind", MAPS)
def test_an_exact_map_says_inside_in_all_of_a_small_lesion_and_nowhere_else(kind):
    mask = np.zeros((12, 12, 12), bool)
    mask[3:8, 4:9, 4:9] = True
    for head in target_maps.describe(kind).heads:
        values = upright(head, target_maps.compute(kind, mask))
        np.testing.assert_array_equal(values > INSIDE[head], mask)
