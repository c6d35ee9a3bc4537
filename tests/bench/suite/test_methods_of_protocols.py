"""The protocol `code`: pre-trained regressors join a trained network, as in the authors' scripts."""

from __future__ import annotations

import pytest

from bench.errors import SuiteError

ROWS = [
    {"id": "dice", "loss": {"name": "dice"}},
    {"id": "joined", "loss": {"name": "dice"}, "regressor": {"name": "lr_net"}},
    {"id": "along", "loss": {"name": "dice"}, "regressor": {"name": "lr_net", "frozen": False}},
]


def methods(workshop, protocol, **changes):
    suite = workshop.suite(methods=ROWS, training={"protocol": protocol}, **changes)
    return {method.id: method for method in workshop.plan(suite).suite.methods}


def test_only_what_has_a_pre_trained_regressor_starts_from_the_baseline(workshop):
    found = methods(workshop, "code", baseline="dice")
    assert (found["joined"].start.from_, found["joined"].start.learning_rate) == ("dice", 1e-5)
    assert list(found) == ["dice", "joined", "dice-continued-1e-05", "along"]
    assert found["along"].start is None


def test_in_the_paper_all_rows_are_trained_from_scratch(workshop):
    found = methods(workshop, "paper", baseline="dice")
    assert list(found) == ["dice", "joined", "along"]
    assert not any(method.start for method in found.values())


def test_it_needs_a_baseline(workshop):
    with pytest.raises(SuiteError, match="protocol 'code' starts from the baseline's weights"):
        methods(workshop, "code")
