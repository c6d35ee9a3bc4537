"""Memory that forward and backward of a loss add to logits and labels, at B2 C2 96³ float32, beside MONAI's.

One script for all: the most that torch's allocator had handed out at once, by its profiler, gradient included.
"""

from __future__ import annotations

import monai.losses
import pytest

from bench.cost.memory import allocated_peak
from benchmarks.test_loss_speed import REGION, Scene

pytestmark = pytest.mark.filterwarnings("ignore:::monai")

AT_MOST = 0.5


def extra(scene, contender):
    """Peak over the memory before, in units of the logits, of a call that is not the first."""
    contender()
    scene.logits.grad = None
    return allocated_peak(contender) / scene.logits.nbytes


def test_extra_memory(benchmark):
    """Goal: every region loss, focal and cross entropy at most half of MONAI's counterpart."""
    scene = Scene(2)
    dice = extra(scene, scene.monai(monai.losses.DiceLoss, softmax=True))
    focal = extra(scene, scene.monai(monai.losses.FocalLoss, use_softmax=True, gamma=2.0, alpha=0.75))
    found = {name: extra(scene, scene.ours(name)) for name in (*REGION, "cross_entropy", "focal")}
    benchmark.extra_info["copies of the logits"] = {"MONAI Dice": dice, "MONAI Focal": focal, **found}
    benchmark.pedantic(scene.ours("dice"), rounds=1)
    for name in (*REGION, "cross_entropy"):
        assert found[name] <= AT_MOST * dice, (name, found[name], dice)
    assert found["focal"] <= AT_MOST * focal
