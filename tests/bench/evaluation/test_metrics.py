"""The list of metrics: complete, ordered, described, and open to one new file."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.evaluation.empties import DIAGONAL
from bench.evaluation.metrics import METRICS, MetricError, metric


def test_labels_stand_in_the_order_of_the_tables():
    assert [entry.label for entry in METRICS.values()] == [
        "DC",
        "DG",
        "VOE",
        "RVD",
        "ASSD",
        "MSD",
        "RMSD",
        "HD95",
        "surface Dice",
    ]


def test_millimetres_are_in_the_key_exactly_where_they_are_the_unit():
    assert all((entry.unit == "mm") == key.endswith(("_mm", "95_mm")) for key, entry in METRICS.items())


def test_distances_cost_the_diagonal_where_one_mask_is_empty():
    for entry in METRICS.values():
        penalised = (entry.empties.prediction, entry.empties.reference) == (DIAGONAL, DIAGONAL)
        assert penalised == (entry.unit == "mm")


def test_the_direction_of_each_metric_is_stored_with_it():
    assert {key for key, entry in METRICS.items() if entry.better == "higher"} == {
        "dice",
        "dice_global",
        "surface_dice",
    }
    assert metric("relative_volume_difference").better == "closest_to_zero"


def test_an_unknown_metric_is_named_with_the_nearest_one():
    with pytest.raises(MetricError, match=r"unknown metric 'dise'\. Did you mean 'dice'\?"):
        metric("dise")


def test_listing_the_metrics_imports_neither_torch_nor_scipy():
    code = "import bench.evaluation.metrics, sys; print([m for m in ('torch', 'scipy', 'monai') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


NEW_FAMILY = '''
from bench.evaluation.empties import ERROR
from bench.evaluation.family import FAMILY_REGISTRY, Family, Metric


@FAMILY_REGISTRY.register("missed")
class Missed(Family):
    """Share of the reference that is not predicted."""

    metrics = (Metric("missed_fraction", "missed", "", "lower", ERROR),)

    def measure(self, pair):
        return {"missed_fraction": 1 - pair.counts.intersection_voxels / pair.counts.reference_voxels}
'''

USE = """
import sys
import numpy as np
from bench.evaluation import families
families.__path__.append(sys.argv[1])
from bench.evaluation import score
from bench.evaluation.metrics import EMPTY_POLICY
mask = np.ones((2, 4), bool)
half = np.array([[0] * 4, [1] * 4], bool)
print(score(mask, half, (1, 1))["missed_fraction"], score(mask, ~mask, (1, 1))["missed_fraction"])
print("missed" in EMPTY_POLICY)
"""


def test_one_new_file_adds_a_metric_to_every_record_and_to_the_policy(tmp_path):
    (tmp_path / "missed.py").write_text(NEW_FAMILY)
    done = subprocess.run([sys.executable, "-c", USE, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["0.5", "1.0", "True"], done.stderr
