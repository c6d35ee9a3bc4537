"""Learning rates: the declared formulas, torch's plateau rule, and no memory."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.training.schedule import learning_rate
from bench.training.settings import PlateauSchedule, PolynomialSchedule, TrainingSettings


def fixed(**changes) -> TrainingSettings:
    return TrainingSettings(**({"steps": 1000, "learning_rate": 0.01} | changes))


def plateau(factor: float, patience: int) -> TrainingSettings:
    return fixed(schedule=PlateauSchedule(factor=factor, patience=patience))


def test_the_default_decays_polynomially_from_the_full_rate_towards_zero():
    rates = [learning_rate(fixed(), step, []) for step in range(1000)]
    assert rates[0] == 0.01
    assert rates[500] == pytest.approx(0.01 * 0.5**0.9)
    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[-1] == pytest.approx(0.01 * 0.001**0.9)


def test_an_exponent_of_one_is_a_straight_line():
    settings = fixed(steps=10, schedule=PolynomialSchedule(exponent=1.0))
    assert [learning_rate(settings, step, []) for step in range(10)] == pytest.approx(
        [0.01, 0.009, 0.008, 0.007, 0.006, 0.005, 0.004, 0.003, 0.002, 0.001]
    )


@given(st.lists(st.floats(0, 1)), st.integers(0, 999))
def test_the_polynomial_rate_does_not_look_at_validations(history, step):
    assert learning_rate(fixed(), step, history) == learning_rate(fixed(), step, [])


levels = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])


@given(st.lists(levels | st.floats(0, 1), max_size=60), st.integers(1, 5), st.sampled_from([0.1, 0.5, 0.8]))
def test_the_plateau_rule_is_torchs(history, patience, factor):
    optimiser = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.01)
    torchs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, mode="max", factor=factor, patience=patience, threshold=0, eps=0
    )
    settings = plateau(factor, patience)
    for count, value in enumerate(history):
        assert learning_rate(settings, 7, history[:count]) == pytest.approx(optimiser.param_groups[0]["lr"])
        torchs.step(value)
    assert learning_rate(settings, 7, history) == pytest.approx(optimiser.param_groups[0]["lr"])


def test_the_papers_protocol_waits_thirty_validations_and_then_takes_four_fifths():
    settings = fixed(protocol="paper")
    rates = [learning_rate(settings, 0, [0.5] * count) for count in range(64)]
    assert rates == pytest.approx([0.01] * 32 + [0.008] * 31 + [0.0064])


def test_a_schedule_of_the_suite_overrides_the_protocols():
    settings = fixed(protocol="paper", schedule=PolynomialSchedule())
    assert learning_rate(settings, 500, [0.5] * 100) == learning_rate(fixed(), 500, [])
