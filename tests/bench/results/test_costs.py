"""The record of measured costs: what it holds, what is refused, and how figures are taken from it."""

from __future__ import annotations

import json

import pytest

from bench.errors import RunError
from bench.results.costs import CostRecord, median_ratio, read_costs, setup_of, spread, write_costs

RECORD = {
    "suite_file": "tiny.yaml",
    "title": "Tiny",
    "profile": "suite",
    "setup": setup_of({}),
    "batch": "generated",
    "volume": "generated",
    "baseline": "dice",
    "warm_up": 3,
    "load": {"before": 0.1, "after": 0.9, "cpu_share": 0.99, "other_cpus": 0.1},
    "environment": {
        "device": "cpu",
        "device_name": "Some CPU",
        "threads": 1,
        "torch": "2.13",
        "commit": "",
        "finished_at": "2026",
        "numpy": "2.4",
    },
    "methods": (
        {"id": "dice", "label": "Dice", "loss": {"name": "dice"}, "step_seconds": (1.0, 2.0, 4.0)},
        {"id": "ce", "label": "CE", "loss": {"name": "cross_entropy"}, "step_seconds": (1.5, 2.0, 8.0)},
        {"id": "nan", "label": "NaN", "loss": {"name": "nan"}, "reason": "Diverged: it did"},
    ),
}


def test_what_is_written_is_read_back(tmp_path):
    record = CostRecord.model_validate(RECORD)
    write_costs(tmp_path, record)
    assert read_costs(tmp_path) == record


def test_without_a_measurement_there_is_no_record(tmp_path):
    assert read_costs(tmp_path) is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"methods": [{"id": "dice"}]}, "methods.0.label"),
        ({"speed": 1}, "speed"),
        ({"environment": {}}, "environment.device"),
        ({"methods": [{"id": "a", "label": "", "loss": {}, "step_seconds": [0.0]}]}, "methods.0.step_seconds.0"),
        ({"methods": [{"id": "a", "label": "", "loss": {}, "step_seconds": [1.0] * n} for n in (1, 2)]}, "the file"),
    ],
    ids=["version", "field", "key", "environment", "no time", "rounds"],
)
def test_a_record_that_is_none_is_refused_with_its_path_and_the_place(tmp_path, change, named):
    write_costs(tmp_path, CostRecord.model_validate(RECORD))
    path = tmp_path / "cost.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(RunError, match=rf"cost\.json is no cost record of this version: {named}.*measure again"):
        read_costs(tmp_path)


def test_half_a_record_is_refused(tmp_path):
    write_costs(tmp_path, CostRecord.model_validate(RECORD))
    path = tmp_path / "cost.json"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunError, match="no cost record"):
        read_costs(tmp_path)


def test_a_ratio_is_the_median_over_rounds_not_the_ratio_of_medians():
    record = CostRecord.model_validate(RECORD)
    dice, ce, _ = record.methods
    assert record.ratio(ce, "step_seconds") == 1.5
    assert record.ratio(dice, "step_seconds") == 1
    assert median_ratio((2.0, 10.0, 3.0), (1.0, 10.0, 1.0)) == 2


def test_there_is_no_ratio_without_a_figure_or_a_baseline():
    record = CostRecord.model_validate(RECORD)
    assert record.ratio(record.methods[2], "step_seconds") is None
    assert record.ratio(record.methods[0], "inference_seconds") is None
    assert CostRecord.model_validate(RECORD | {"baseline": None}).ratio(record.methods[0], "step_seconds") is None


def test_quartiles_are_interpolated():
    assert spread((4.0, 1.0, 2.0, 3.0)) == (1.75, 2.5, 3.25)


def test_the_setup_holds_what_changes_a_cost_and_no_budget():
    suite = {
        "backbone": {"name": "residual_unet"},
        "dataset": {"target": [1], "root": "/elsewhere"},
        "sampling": {"patch_size": [8, 8], "batch_size": 2, "foreground_patches": 1, "jitter_voxels": 5},
        "training": {"precision": "bf16", "threads_per_cell": 1, "steps": 7},
    }
    setup = setup_of(suite)
    assert setup["sampling.patch_size"] == [8, 8]
    assert setup["training.precision"] == "bf16"
    assert "/elsewhere" not in str(setup)
    assert not [key for key in setup if "steps" in key or "jitter" in key]
