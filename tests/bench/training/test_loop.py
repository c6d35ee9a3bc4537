"""The loop: the same for every method, resumable to the same bits, never silent about numbers that are none."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from bench import stopping
from bench.data.sampler import PatchSampler
from bench.training.checkpoints import load_newest
from bench.training.loop import Diverged, Progress, weights_of
from losses.base import Loss
from models.method import Method, Term

STEPS, VALIDATED = 12, [5, 10, 12]


def test_a_training_learns(tiny):
    tiny.budget = {"steps": 100, "validate_every": 20, "learning_rate": 0.05}
    history = tiny.run().progress
    assert history.training[-1]["objective"] < 0.7 * history.training[0]["objective"]
    assert history.validations[0]["dice"] < 0.2 < 0.4 < history.validations[-1]["dice"]


class BreaksAt(Method):
    """A method whose second term breaks in the forward or in the backward pass of a step (from 1)."""

    def __init__(self, method: Method, step: int, where: str) -> None:
        super().__init__(method.backbone, method.loss)
        self.step, self.where, self.calls = step, where, 0

    def training_terms(self, batch):
        self.calls += 1
        zero = self.backbone(batch.image).logits.mean()
        zero = zero - zero.detach()
        broken = {"forward": torch.nan, "infinite": -torch.inf}.get(self.where, 0.0)
        healthy = {**super().training_terms(batch), "regression": Term(zero, 0.5)}
        if self.calls < self.step:
            return healthy
        # √x has the value 0 and an infinite slope at 0.
        term = zero.sqrt() if self.where == "backward" else zero + broken
        return {**healthy, "regression": Term(term, 0.5)}


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("forward", "regression became nan"),
        ("infinite", "regression became -inf"),
        ("backward", "gradient_norm became"),
    ],
)
def test_a_number_that_is_none_ends_the_training_with_term_and_step(tiny, new_method, where, what, equal):
    training = tiny.training(BreaksAt(new_method(), 8, where))
    before = {}
    training.watch = lambda phase, step, **facts: before.update(weights_of(training.method))
    with pytest.raises(Diverged, match=rf"{what}.* at step 8 of 12") as caught:
        training.run()
    assert caught.value.step == 8
    assert equal(weights_of(training.method), before)
    assert training.progress.step == 7
    assert [record["step"] for record in training.progress.training] == [7]
    assert load_newest(tiny.folder)["progress"]["step"] == 6


def test_logits_that_are_none_in_a_loss_s_first_call_end_the_training_too(tiny, new_method):
    method = new_method()
    for parameter in method.backbone.head.parameters():
        parameter.data.fill_(torch.nan)
    training = tiny.training(method)
    with pytest.raises(Diverged, match=r"logits are NaN or infinite .* at step 1 of 12") as caught:
        training.run()
    assert caught.value.step == 1
    assert training.progress.training == []


class Steps(Method):
    """A method that is told the step, and keeps what it was told."""

    required_maps = ("step",)

    def __init__(self, method: Method) -> None:
        super().__init__(method.backbone, method.loss)
        self.told = []

    def training_terms(self, batch):
        self.told.append(batch.maps["step"])
        return super().training_terms(batch)


def test_the_step_is_told_to_those_who_require_it_and_goes_on_where_it_was_after_a_resume(tiny, asked, new_method):
    method = Steps(new_method())
    tiny.run(method)
    assert [(step.dtype, step.shape) for step in method.told] == [(torch.int64, ())] * 12
    assert [int(step) for step in method.told] == list(range(12))
    asked.at = ("training", 5)
    before, after = Steps(new_method()), Steps(new_method())
    with stopping.noting_signals(), pytest.raises(stopping.Interrupted):
        asked.run(before)
    dataclasses.replace(asked, at=("nothing", 0)).run(after)
    assert [int(step) for step in (*before.told, *after.told)] == list(range(12))


def test_who_does_not_require_the_step_is_not_told(tiny, new_method):
    class Curious(Method):
        def training_terms(self, batch):
            assert dict(batch.maps) == {}
            return super().training_terms(batch)

    method = new_method()
    tiny.run(Curious(method.backbone, method.loss))


def rates(tiny, **budget) -> list[float]:
    """The learning rate that the optimiser used at each step."""
    tiny.budget = budget
    training = tiny.training()
    used = []

    def watch(phase, step, **facts):
        if phase == "training":
            used.append(training.optimiser.param_groups[0]["lr"])

    training.watch = watch
    training.run()
    return used


def test_the_polynomial_rate_reaches_the_optimiser(tiny):
    used = rates(tiny, steps=10, schedule={"name": "polynomial", "exponent": 2.0})
    assert used == pytest.approx([0.01 * (1 - step / 10) ** 2 for step in range(10)])


def test_the_plateau_rate_follows_validations(tiny):
    """Values 1, 1, 1, 2, 0, 0: with a patience of one, the second miss in a row halves the rate."""
    answers = iter([1.0, 1.0, 1.0, 2.0, 0.0, 0.0])
    tiny.validate = lambda method: {"a": next(answers)}
    used = rates(tiny, validate_every=2, schedule={"name": "plateau", "factor": 0.5, "patience": 1})
    assert used == [0.01] * 6 + [0.005] * 6


@pytest.mark.parametrize(("answers", "best"), [([0.1, 0.3, 0.2], 10), ([0.3, 0.3, 0.3], 5), ([0.0, 0.0, 0.1], 12)])
def test_the_best_weights_are_those_of_the_highest_mean_and_the_earlier_of_equals(tiny, answers, best, equal):
    given, weights = iter(answers), {}

    def validate(method):
        weights[VALIDATED[len(weights)]] = weights_of(method)
        mean = next(given)
        return {"a": mean - 0.25, "b": mean + 0.25}

    tiny.validate = validate
    trained = tiny.run()
    assert trained.progress.best_step == best
    assert equal(trained.best, weights[best])
    assert equal(trained.last, weights[STEPS])
    assert trained.progress.dice() == pytest.approx(answers)
    assert trained.progress.validations[0]["cases"] == {"a": answers[0] - 0.25, "b": answers[0] + 0.25}


def test_validation_sees_the_method_in_evaluation_mode_and_training_in_training_mode(tiny, new_method):
    modes = []

    class Watched(Method):
        def training_terms(self, batch):
            modes.append(("training", self.training))
            return super().training_terms(batch)

    def validate(method):
        modes.append(("validation", method.training))
        return {"a": 0.5}

    tiny.validate = validate
    method = new_method()
    tiny.run(Watched(method.backbone, method.loss))
    assert set(modes) == {("training", True), ("validation", False)}


def test_every_method_sees_the_same_patches_and_is_validated_at_the_same_steps(tiny, tmp_path):
    outcomes = {
        loss: dataclasses.replace(tiny, folder=tmp_path / loss, method={"loss": loss}).run().progress
        for loss in ("dice", "cross_entropy", "tversky")
    }
    assert len({progress.order_digest for progress in outcomes.values()}) == 1
    for progress in outcomes.values():
        assert [record["step"] for record in progress.validations] == VALIDATED
    assert len({str(progress.training) for progress in outcomes.values()}) == 3
    other = dataclasses.replace(tiny, folder=tmp_path / "other", seed=1).run().progress
    assert other.order_digest != outcomes["dice"].order_digest


def test_the_order_digest_is_the_samplers_chain(tiny):
    training = tiny.training()
    found = training.run().progress.order_digest
    sampler = PatchSampler(training.sampler.cases, training.sampler.settings, tiny.seed)
    digest = ""
    for step in range(STEPS):
        digest = sampler.digest(sampler.plan(step), digest)
    assert found == digest


def test_bfloat16_is_for_the_network_and_not_for_its_weights_or_the_loss(tiny, new_method, tmp_path, equal):
    types = set()

    class Watched(Method):
        def training_terms(self, batch):
            terms = super().training_terms(batch)
            types.update([self.backbone(batch.image).logits.dtype, terms["segmentation"].value.dtype])
            return terms

    method = new_method()
    tiny.budget = {"precision": "bf16"}
    trained = tiny.run(Watched(method.backbone, method.loss))
    assert types == {torch.bfloat16, torch.float32}
    assert {tensor.dtype for tensor in trained.last.values()} == {torch.float32}
    single = dataclasses.replace(tiny, folder=tmp_path / "single", budget={}).run()
    assert not equal(trained.last, single.last)
    half, full = (outcome.progress.training[0]["objective"] for outcome in (trained, single))
    assert half == pytest.approx(full, abs=0.05)


@pytest.mark.parametrize(
    ("dimensions", "layout"), [(2, torch.channels_last), (3, torch.channels_last_3d)], ids=["2d", "3d"]
)
def test_channels_last_is_a_layout_of_weights_and_images_and_no_other_method(tiny, tmp_path, dimensions, layout):
    images = []
    tiny.method = {"dimensions": dimensions}
    tiny.validate = lambda method: {"a": 0.5}
    plain = dataclasses.replace(tiny, folder=tmp_path / "plain", budget={"memory_format": "contiguous"})
    outcomes = []
    for one in (tiny, plain):
        training = one.training()
        training.method.backbone.register_forward_pre_hook(lambda module, inputs: images.append(inputs[0]))
        outcomes.append(training.run())
        last = [p.is_contiguous(memory_format=layout) for p in training.method.parameters() if p.ndim == dimensions + 2]
        assert all(last) == (one is tiny)
    assert all(image.is_contiguous(memory_format=layout) for image in images[:STEPS])
    first, second = (outcome.progress.training[0]["objective"] for outcome in outcomes)
    assert first == pytest.approx(second, abs=1e-3)


def test_frozen_weights_stay_and_take_no_part_in_the_optimiser(tiny, new_method):
    method = new_method()
    method.backbone.encoder.requires_grad_(False)
    before = weights_of(method)
    after = tiny.run(method).last
    unchanged = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in before if name.startswith("backbone.encoder.")} <= unchanged
    assert any(name.startswith("backbone.decoder.") for name in before.keys() - unchanged)


def test_parameters_of_a_loss_are_trained_and_resumed_too(tiny, new_method):
    class Learned(Loss):
        def __init__(self) -> None:
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(()))

        def compute(self, logits, labels, maps, voxel_weight):
            return ((logits * self.scale - labels[:, None]) ** 2).mean()

    method = Method(new_method().backbone, Learned())
    trained = tiny.run(method)
    assert trained.last["loss.scale"] != 1
    assert load_newest(tiny.folder)["weights"]["loss.scale"] == trained.last["loss.scale"]


def test_progress_survives_a_checkpoint_as_plain_values():
    progress = Progress(3, "ab", [{"step": 3, "objective": 0.1}], [{"step": 3, "dice": 0.5, "cases": {"a": 0.5}}], 3)
    assert Progress(**vars(progress)) == progress
