"""Evaluation settings refuse what could not be computed, and know nothing of torch."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from bench.evaluation.settings import EvaluationSettings


@pytest.mark.parametrize(
    "wrong", [{"window_overlap": 1.0}, {"window_overlap": -0.1}, {"window_batch": 0}, {"tolerance_mm": -1.0}, {"x": 1}]
)
def test_impossible_values_are_refused(wrong):
    with pytest.raises(ValidationError):
        EvaluationSettings(**wrong)


def test_the_settings_import_nothing_heavy():
    heavy = "('torch', 'monai', 'numpy', 'scipy', 'SimpleITK')"
    code = f"import bench.evaluation.settings, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
