"""Comparisons of speed are repeated until the machine was quiet, and say when it never was."""

from __future__ import annotations

import pytest

from bench.results.costs import LoadRecord
from benchmarks import interleaved

QUIET = LoadRecord(before=0.1, after=1.0, cpu_share=0.99, other_cpus=0.02)
BUSY = LoadRecord(before=2.0, after=3.0, cpu_share=0.99, other_cpus=0.9)
WAITING = LoadRecord(before=0.1, after=1.0, cpu_share=0.6, other_cpus=None)


@pytest.fixture
def loads(monkeypatch):
    """The records that the next attempts will find."""
    upcoming: list[LoadRecord] = []

    class Watch:
        def record(self, device):
            return upcoming.pop(0)

    monkeypatch.setattr(interleaved, "LoadWatch", Watch)
    return upcoming


def compare(**options):
    return interleaved.compare({"a": lambda: None, "b": lambda: None}, **{"rounds": 3, **options})


@pytest.mark.parametrize("disturbed", [BUSY, WAITING], ids=["others compute", "waiting for a CPU"])
def test_a_disturbed_measurement_is_repeated_whole(loads, disturbed):
    loads += [disturbed, disturbed, QUIET]
    found = compare()
    assert (found.attempt, found.quiet, found.load) == (3, True, QUIET)
    assert [len(seconds) for seconds in found.seconds.values()] == [3, 3]


def test_a_quiet_measurement_is_the_only_one(loads):
    loads += [QUIET, BUSY]
    assert compare().attempt == 1
    assert loads == [BUSY]


def test_when_it_never_was_quiet_the_last_attempt_counts_and_says_so(loads):
    loads += [BUSY] * 3
    assert compare().to_json()["quiet"] is False


def test_the_record_has_medians_quartiles_ratios_and_load():
    found = interleaved.Comparison({"a": [1.0, 2.0, 3.0], "b": [2.0, 6.0, 12.0]}, QUIET, 1).to_json()
    assert found["contenders"]["b"] == {
        "median_seconds": 6.0,
        "quartile_seconds": [4.0, 9.0],
        "median_ratio_to_a": 3.0,
    }
    assert found["n"] == 3
    assert found["load"]["other_cpus"] == 0.02
