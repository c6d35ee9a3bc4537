"""How long a user waits for `--help`, and for a suite of 100 cells to be checked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SUITE = Path(__file__).parent.parent / "suites" / "lits.yaml"


def test_help(benchmark):
    """Goal: below 0.3 s."""
    benchmark.pedantic(
        lambda: subprocess.run([sys.executable, "-m", "bench", "--help"], check=True, capture_output=True),
        rounds=30,
        warmup_rounds=2,
    )


@pytest.fixture
def hundred_cells(tmp_path):
    """The LiTS suite with 25 rows and four seeds."""
    rows = "\n".join(
        f"  - {{id: tversky-{i}, loss: {{name: tversky, fp_weight: 0.{i:02d}1, fn_weight: 0.5}}}}" for i in range(25)
    )
    path = tmp_path / "hundred.yaml"
    text = SUITE.read_text().partition("methods:")[0].replace("baseline: dice\n", "")
    path.write_text(f"{text}methods:\n{rows}\n")
    return path


def test_validation_of_100_cells(benchmark, hundred_cells, tmp_path, monkeypatch):
    """Goal: below 1 s beside the import of torch, which is measured apart."""
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "cache"))
    from bench.execution.planning import Request, plan_request

    request = Request(hundred_cells, profile="phantom", seeds=(0, 1, 2, 3), out=tmp_path / "run")
    planned = benchmark.pedantic(lambda: plan_request(request, read_data=False), rounds=30, warmup_rounds=1)
    assert len(planned.selected()) == 100


def test_import_of_torch(benchmark):
    """What every command that trains or plans pays first."""
    benchmark.pedantic(
        lambda: subprocess.run([sys.executable, "-c", "import torch"], check=True), rounds=10, warmup_rounds=1
    )
