"""Every method of a seed starts from the same weights, and its loss knows the training set's frequencies."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from bench.execution.assembly import build_method, class_statistics, trained_method


@pytest.fixture
def planned(workshop):
    def make(**changes):
        planned = workshop.plan(workshop.suite(**changes))
        return planned.suite, planned.plan.cells

    return make


def case(*voxels: int, channels: int = 1) -> SimpleNamespace:
    return SimpleNamespace(class_voxels=voxels, image=torch.zeros(channels, 4, 4, 4), spacing_mm=(1.0, 1.0, 1.0))


def weights(method) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in method.backbone.state_dict().items()}


def test_frequencies_are_over_all_voxels_of_the_training_set():
    assert class_statistics([case(90, 10), case(300, 0)]).class_frequencies == (0.975, 0.025)


def test_methods_of_a_seed_start_alike_and_those_of_another_do_not(planned):
    suite, cells = planned(seeds=[0, 1])
    built = {(cell.method, cell.seed): weights(build_method(suite, cell, [case(9, 1)])) for cell in cells}
    first = built["dice", 0]
    assert all(torch.equal(first[name], built["ce", 0][name]) for name in first)
    assert any(not torch.equal(first[name], built["dice", 1][name]) for name in first)


def test_the_network_takes_the_channels_of_the_images(planned):
    suite, cells = planned()
    method = build_method(suite, cells[0], [case(9, 1, channels=3)])
    assert method.segment(torch.zeros(1, 3, 16, 16, 16)).shape == (1, 2, 16, 16, 16)


@pytest.mark.parametrize("layout", ["channels_last", "contiguous"])
def test_a_trained_method_has_weights_and_memory_format_of_its_training(planned, layout):
    suite, cells = planned(training={"memory_format": layout})
    built = build_method(suite, cells[0], [case(9, 1)])
    state = {name: value + 1 for name, value in built.state_dict().items()}
    restored = trained_method(suite, None, state, (1, 16, 16, 16))
    assert all(torch.equal(value, state[name]) for name, value in restored.state_dict().items())
    kernels = [p for p in restored.backbone.parameters() if p.ndim == 5 and min(p.shape[:2]) > 1]
    expected = torch.channels_last_3d if layout == "channels_last" else torch.contiguous_format
    assert kernels
    assert all(kernel.is_contiguous(memory_format=expected) for kernel in kernels)
