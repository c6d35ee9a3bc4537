"""The measurement as a whole, on networks that are done in a moment."""

from __future__ import annotations

import pytest
import torch

import losses
from bench.cost.contender import Contender
from bench.cost.inputs import choose_inputs
from bench.cost.measure import INFERENCES, STEPS, measure
from bench.cost.memory import peak_memory
from bench.errors import BenchError
from bench.execution.planning import Request, plan_request
from bench.training.device import make_repeatable
from bench.training.loop import Training
from models.method import Method

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    """What other tests have prepared must not be found here."""
    monkeypatch.setenv("IMBALANCE_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def plan(workshop):
    def planned(only=(), **changes):
        return plan_request(
            Request(workshop.suite(**changes), methods=only, out=workshop.folder / "run"), read_data=False
        )

    return planned


def test_every_method_has_all_figures(plan):
    record = measure(plan(baseline="dice"), "cpu")
    assert [method.id for method in record.methods] == ["dice", "ce"]
    for method in record.methods:
        assert len(method.step_seconds) == STEPS
        assert len(method.inference_seconds) == INFERENCES
        assert method.parameters_trained == method.parameters_inference > 1000
        assert method.peak_memory_bytes > 3 * 4 * method.parameters_trained
        assert method.reason == ""
    assert record.ratio(record.methods[0], "step_seconds") == 1
    assert record.environment.threads == 1
    assert record.load.cpu_share > 0


def test_only_the_requested_methods_are_measured(plan):
    assert [method.id for method in measure(plan(only=("ce",)), "cpu").methods] == ["ce"]


def test_three_times_the_batch_takes_almost_three_times_the_memory(plan):
    make_repeatable(1, CPU)
    peaks = []
    for size in (2, 6):
        planned = plan(sampling={"batch_size": size})
        peaks.append(peak_memory(Contender(planned.suite, planned.suite.methods[0], choose_inputs(planned), CPU), CPU))
    assert 2.5 < peaks[1] / peaks[0] < 3


@pytest.mark.usefixtures("misbehaving")
def test_a_method_that_cannot_take_a_step_stays_with_its_reason_and_the_others_are_measured(plan):
    methods = [
        {"id": "dice", "loss": {"name": "dice"}},
        {"id": "nan", "loss": {"name": "nan"}},
        {"id": "raises", "loss": {"name": "raises"}},
    ]
    dice, nan, raises = measure(plan(methods=methods), "cpu").methods
    assert len(dice.step_seconds) == STEPS
    assert (nan.step_seconds, "segmentation became nan" in nan.reason) == ((), True)
    assert raises.reason == "RuntimeError: no such luck"


@pytest.mark.usefixtures("misbehaving")
def test_a_method_that_stops_working_later_is_named(plan):
    methods = [{"id": "tired", "loss": {"name": "nan", "after": 9}}]
    with pytest.raises(BenchError, match=r"tired stopped working while it was timed .* --methods"):
        measure(plan(methods=methods), "cpu")


def test_a_step_is_the_step_of_the_training_loop(plan, monkeypatch):
    """Not one like it: the very same function, on the sampler's batch, with the suite's settings."""
    planned = plan()
    taken = []
    usual = Training.step
    monkeypatch.setattr(Training, "step", lambda training, batch: taken.append(batch) or usual(training, batch))
    inputs = choose_inputs(planned)
    make_repeatable(1, CPU)
    Contender(planned.suite, planned.suite.methods[0], inputs, CPU).step()
    assert taken == [inputs.batch]


def test_losses_that_need_maps_or_the_step_are_measured_on_the_same_patches_as_the_others(plan, monkeypatch):
    terms = [{"name": "boundary", "weight": {"start": 0.0, "stop": 1.0, "steps": 9}}, {"name": "map_dice"}]
    planned = plan(methods=[{"id": "maps", "loss": {"name": "sum", "terms": terms}}])
    taken = []
    usual = Method.training_terms
    monkeypatch.setattr(Method, "training_terms", lambda method, batch: taken.append(batch) or usual(method, batch))
    inputs = choose_inputs(planned)
    make_repeatable(1, CPU)
    Contender(planned.suite, planned.suite.methods[0], inputs, CPU).step()
    assert set(taken[0].maps) == {"norm_inverse", "signed_distance", "step"}
    assert torch.equal(taken[0].labels, inputs.batch.labels)


def test_a_step_moves_the_weights_and_an_inference_does_not(plan):
    planned = plan()
    make_repeatable(1, CPU)
    contender = Contender(planned.suite, planned.suite.methods[0], choose_inputs(planned), CPU)
    states = [contender._training.optimiser.state_dict()["state"]]
    contender.step()
    weights = {name: value.clone() for name, value in contender._method.state_dict().items()}
    contender.infer()
    assert states == [{}]
    assert all(torch.equal(value, weights[name]) for name, value in contender._method.state_dict().items())
    contender.step()
    assert any(not torch.equal(value, weights[name]) for name, value in contender._method.state_dict().items())


def test_the_losses_know_the_class_frequencies_of_what_they_are_measured_on(plan, monkeypatch):
    prepared = []
    kind = type(losses.create("dice"))
    monkeypatch.setattr(kind, "prepare", lambda loss, statistics: prepared.append(statistics.class_frequencies))
    planned = plan()
    inputs = choose_inputs(planned)
    Contender(planned.suite, planned.suite.methods[0], inputs, CPU)
    (case,) = inputs.train
    assert prepared == [tuple(count / case.labels.size for count in case.class_voxels)]
