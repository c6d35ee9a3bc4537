"""The peak is what was alive at once, not what was allocated in all."""

from __future__ import annotations

import pytest
import torch

from bench.cost.memory import allocated_peak

MIB = 2**20


def test_the_peak_is_what_was_alive_at_once():
    def work():
        first = torch.zeros(MIB, dtype=torch.uint8)
        second = torch.zeros(2 * MIB, dtype=torch.uint8)
        del first, second
        return torch.zeros(MIB, dtype=torch.uint8)

    assert allocated_peak(work) == pytest.approx(3 * MIB, abs=1000)


def test_what_was_there_before_is_not_counted():
    kept = []
    allocated_peak(lambda: kept.append(torch.zeros(4 * MIB, dtype=torch.uint8)))
    kept.clear()
    before = torch.zeros(8 * MIB, dtype=torch.uint8)
    assert allocated_peak(lambda: before[:MIB] + 1) == pytest.approx(MIB, abs=1000)


def test_work_that_allocates_nothing_has_no_peak():
    assert allocated_peak(lambda: None) == 0


def test_activations_kept_for_the_way_back_are_counted():
    weight = torch.ones(MIB // 4, requires_grad=True)

    def forward(steps):
        value = weight
        for _ in range(steps):
            value = value.exp()
        return value

    shallow, deep = (allocated_peak(lambda steps=steps: forward(steps)) for steps in (2, 6))
    assert deep - shallow == pytest.approx(4 * MIB, abs=1000)
