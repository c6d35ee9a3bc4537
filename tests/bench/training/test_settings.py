"""The budget: what is refused, what follows from the protocol, and that reading it needs no torch."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.training.settings import PlateauSchedule, PolynomialSchedule, TrainingSettings


@given(st.integers(1, 500), st.integers(1, 600))
def test_validations_come_at_their_interval_and_after_the_last_step(steps, every):
    found = TrainingSettings(steps=steps, validate_every=every).validation_steps()
    assert list(found) == sorted(set(found))
    assert found[-1] == steps
    assert set(found) == {step for step in range(1, steps + 1) if step % every == 0 or step == steps}


def test_the_protocol_brings_its_schedule():
    assert TrainingSettings(steps=1).decay == PolynomialSchedule(exponent=0.9)
    assert TrainingSettings(steps=1, protocol="paper").decay == PlateauSchedule(factor=0.8, patience=30)
    own = PlateauSchedule(patience=3)
    assert TrainingSettings(steps=1, schedule=own).decay == own


@pytest.mark.parametrize(
    "given_settings",
    [
        {},
        {"steps": 0},
        {"steps": 10, "learning_rate": 0},
        {"steps": 10, "learning_rate": float("inf")},
        {"steps": 10, "precision": "fp16"},
        {"steps": 10, "threads_per_cell": 0},
        {"steps": 10, "schedule": {"name": "cosine"}},
        {"steps": 10, "schedule": {"name": "plateau", "factor": 1.5}},
        {"steps": 10, "schedule": {"name": "polynomial", "patience": 3}},
    ],
)
def test_a_budget_that_cannot_be_is_refused(given_settings):
    with pytest.raises(ValidationError):
        TrainingSettings(**given_settings)


@pytest.mark.parametrize("module", ["bench.training.settings", "bench.data.sampler", "bench.training.schedule"])
def test_settings_are_read_without_torch(module):
    code = f"import sys, {module}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
