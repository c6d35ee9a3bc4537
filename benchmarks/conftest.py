"""Benchmarks: medians, quartiles, number of rounds, load and threads of every measurement go into results/*.json.

pytest-benchmark measures; its own JSON names the machine and its user, so a smaller record is written here.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest
import torch

from bench.files.atomic import write_json
from bench.training.device import cpu_name
from benchmarks.interleaved import compare

RESULTS = Path(__file__).parent / "results"


def pytest_configure(config):
    torch.set_num_threads(1)
    config.stash[LOAD] = os.getloadavg()[0]


LOAD = pytest.StashKey[float]()


@pytest.fixture
def interleave(benchmark):
    """Compare contenders in turns (`benchmarks.interleaved.compare`); the figures go into the results file.

    pytest-benchmark times one function after another, so that a busy minute falls on one of them alone; here it only
    sees the comparison as a whole.
    """

    def measure(contenders, **options):
        comparison = benchmark.pedantic(compare, args=(contenders,), kwargs=options, rounds=1)
        benchmark.extra_info["interleaved"] = comparison.to_json()
        return comparison

    return measure


def pytest_sessionfinish(session):
    """Write one results file per benchmark file; measurements that were not repeated stay as they were."""
    measured = defaultdict(dict)
    for benchmark in getattr(session.config, "_benchmarksession").benchmarks:  # noqa: B009 - the plug-in's only handle
        stats = benchmark.stats
        extra = dict(benchmark.extra_info)
        one = {"median_seconds": stats.median, "iqr_seconds": stats.iqr, "n": stats.rounds}
        record = {**extra.pop("interleaved", one), "extra": extra}
        measured[Path(benchmark.fullname.partition("::")[0]).stem.removeprefix("test_")][benchmark.name] = record
    for name, results in measured.items():
        path = RESULTS / f"{name}.json"
        known = json.loads(path.read_text()) if path.is_file() else {}
        machine = {
            "cpu": cpu_name(),
            "cpus": os.cpu_count(),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "load_before": round(session.config.stash[LOAD], 2),
            "load_after": round(os.getloadavg()[0], 2),
        }
        write_json(path, known | {test: record | machine for test, record in results.items()})
