"""Costs are told from steps that were timed here, with these settings, and from nothing else."""

from __future__ import annotations

import json

import pytest

from bench.execution.timings import KEPT, NAMES, remember, typical
from bench.files.user_cache import user_cache

DEVICE = {"device": "cpu", "device_name": "one"}


def timing(seconds: float) -> dict[str, float]:
    return dict.fromkeys(NAMES, seconds)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "own cache"))


@pytest.fixture
def suite(workshop):
    return lambda **changes: workshop.plan(workshop.suite(**changes)).suite


def test_nothing_is_known_before_something_was_timed(suite):
    assert typical(suite(), DEVICE) is None


def test_the_median_of_what_was_timed_is_typical(suite):
    for seconds in (5.0, 1.0, 2.0):
        remember(suite(), DEVICE, timing(seconds) | {"seconds_per_scored_case": 2 * seconds})
    assert typical(suite(), DEVICE) == timing(2.0) | {"seconds_per_scored_case": 4.0}


def test_only_the_newest_timings_count(suite):
    for seconds in [100.0] * KEPT + [1.0] * KEPT:
        remember(suite(), DEVICE, timing(seconds))
    assert typical(suite(), DEVICE) == timing(1.0)


@pytest.mark.parametrize(
    "change",
    [
        {"backbone": {"widths": [4, 8]}},
        {"sampling": {"patch_size": [16, 16, 32]}},
        {"sampling": {"batch_size": 2}},
        {"training": {"precision": "bf16"}},
        {"training": {"threads_per_cell": 2}},
        {"training": {"memory_format": "contiguous"}},
        {"preprocessing": {"crop": {"margin_voxels": 1}}},
        {"dataset": {"size": [24, 32, 32]}},
    ],
)
def test_another_configuration_or_device_is_not_estimated_from_this_one(suite, change):
    remember(suite(), DEVICE, timing(1.0))
    assert typical(suite(**change), DEVICE) is None
    assert typical(suite(), {**DEVICE, "device_name": "two"}) is None


def test_losses_seeds_and_steps_do_not_matter(suite):
    remember(suite(), DEVICE, timing(1.0))
    other = suite(training={"steps": 500}, seeds=[3, 4], methods=[{"id": "x", "loss": {"name": "tversky"}}])
    assert typical(other, DEVICE) == timing(1.0)


def everything(entry: object) -> str:
    """A memory that has this entry under the one key there is."""
    path = user_cache() / "timings.json"
    return json.dumps(dict.fromkeys(json.loads(path.read_text()), entry))


@pytest.mark.parametrize(
    "entry", ["many", [1], [{}], [timing(1.0), {"seconds_per_step": 1.0}], [timing("fast")], [timing(float("nan"))]]
)
def test_an_entry_of_a_wrong_kind_is_forgotten(suite, entry):
    remember(suite(), DEVICE, timing(2.0))
    (user_cache() / "timings.json").write_text(everything(entry))
    assert typical(suite(), DEVICE) is None
    remember(suite(), DEVICE, timing(1.0))
    assert typical(suite(), DEVICE) == timing(1.0)


@pytest.mark.parametrize("content", ["{half", "[]", "7"])
def test_a_damaged_memory_is_forgotten(suite, content):
    (user_cache() / "timings.json").write_text(content)
    assert typical(suite(), DEVICE) is None
    remember(suite(), DEVICE, timing(1.0))
    assert typical(suite(), DEVICE) == timing(1.0)


def test_a_pretraining_is_timed_apart_from_cells(suite):
    remember(suite(), DEVICE, {"seconds_per_step": 3.0}, pretraining=True)
    assert typical(suite(), DEVICE) is None
    remember(suite(), DEVICE, timing(1.0))
    assert typical(suite(), DEVICE, pretraining=True) == {"seconds_per_step": 3.0}
    assert typical(suite(), DEVICE) == timing(1.0)
