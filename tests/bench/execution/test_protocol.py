from __future__ import annotations

from pathlib import Path

import pytest

from bench.execution.planning import Request, plan_request
from bench.execution.protocol import protocol_lines
from bench.report.markdown import escape

SUITE = Path(__file__).parents[3] / "suites" / "lits.yaml"


@pytest.fixture
def lines(tmp_path, monkeypatch):
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "cache"))
    overrides = ("backbone.widths=[4, 8, 16]", "training.threads_per_cell=2", "preprocessing.window=[-60.0, 140.0]")
    request = Request(SUITE, profile="phantom", out=tmp_path / "run", overrides=overrides)
    return protocol_lines(plan_request(request, read_data=False).suite)


def test_settings_are_written_without_anything_to_escape(lines):
    assert [escape(line) for line in lines] == lines


def test_lists_and_counts_are_words(lines):
    text = " ".join(lines)
    assert "widths 4/8/16" in text
    assert "2 CPU threads a cell" in text
    assert "intensities from -60 to 140 mapped to 0 to 1, clipped" in text
