"""The fixed batch and volume: the run's own where it has them, else generated, always the same for all methods."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from bench.cost.inputs import choose_inputs, generate_case
from bench.data.cache.store import CaseCache
from bench.data.preprocessing import restore


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    """What other tests have prepared must not be found here."""
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def prepared(workshop):
    """The tiny suite, with all of its cases prepared."""
    workshop.here(workshop.suite())


@pytest.fixture
def planned(workshop):
    """A suite with changes, planned for a folder in which nothing is prepared unless one is given."""
    from bench.execution.planning import Request, plan_request

    def plan(out="run", **changes):
        return plan_request(Request(workshop.suite(**changes), out=workshop.folder / out), read_data=False)

    return plan


def test_without_prepared_cases_batch_and_volume_are_generated_in_the_suites_shape(planned):
    inputs = choose_inputs(planned(sampling={"patch_size": [8, 16, 24], "batch_size": 3}))
    assert inputs.batch.image.shape == (3, 1, 8, 16, 24)
    assert inputs.volume.image.shape == (1, 16, 32, 48)
    assert "generated: patches of 8×16×24 voxels" in inputs.batch_words
    assert "generated: 16×32×48 voxels" in inputs.volume_words


def test_prepared_cases_of_the_run_are_taken(planned, prepared):
    inputs = choose_inputs(planned())
    assert inputs.batch_words == "first batch of seed 0 from the 2 prepared training cases"
    assert "the median of 2 prepared test cases" in inputs.volume_words
    assert inputs.volume.image.shape[1:] != (32, 32, 32)


def test_a_run_that_has_prepared_only_some_of_its_cases_is_measured_on_generated_ones(planned, prepared):
    planned_again = planned()
    shutil.rmtree(CaseCache.of_user().folder(planned_again.selected()[0].test[-1]))
    assert "generated" in choose_inputs(planned_again).batch_words


def test_the_batch_is_the_same_every_time(planned):
    first, second = (choose_inputs(planned()).batch for _ in range(2))
    assert torch.equal(first.image, second.image)
    assert torch.equal(first.labels, second.labels)


@pytest.mark.parametrize("patch", [(16, 16), (1, 16, 16), (4, 8, 24)], ids=str)
def test_a_generated_case_has_voxels_of_every_class_and_mostly_background(planned, patch):
    suite = planned().suite
    sampling = suite.sampling.model_copy(update={"patch_size": patch})
    dataset = suite.dataset.model_copy(update={"target": {"a": (1,), "b": (2,)}})
    case = generate_case(suite.model_copy(update={"sampling": sampling, "dataset": dataset}), channels=2)
    assert case.image.shape == (2, *(2 * extent for extent in patch))
    assert all(count > 0 for count in case.class_voxels)
    assert sum(case.class_voxels) == case.labels.size
    assert case.class_voxels[0] > 0.8 * case.labels.size


def test_a_generated_case_can_be_brought_back_to_its_grid(planned):
    case = generate_case(planned().suite, channels=1)
    scores = np.stack([case.labels == 0, case.labels == 1]).astype(np.float32)
    assert np.array_equal(restore(scores, case.meta), case.labels)
