"""Compiled training: opt-in, the same weights by name, inference untouched."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from bench.training.compilation import compile_for_training


@pytest.mark.slow
def test_compiled_training_follows_the_plain_one_and_its_checkpoints_fit_either_way(tiny, new_method, tmp_path):
    tiny.budget = {"steps": 6, "validate_every": 3, "checkpoint_every": 3}
    plain = tiny.run()
    compiled = dataclasses.replace(tiny, folder=tmp_path / "compiled", budget=tiny.budget | {"compile": True})
    graphs = torch._dynamo.utils.counters["stats"]
    graphs.clear()
    training = compiled.training()
    trained = training.run()
    assert graphs["unique_graphs"] == 3  # the backbone, soft counts and their derivative
    assert list(trained.last) == list(plain.last)
    assert trained.progress.order_digest == plain.progress.order_digest
    for mine, theirs in zip(trained.progress.training, plain.progress.training, strict=True):
        assert mine["objective"] == pytest.approx(theirs["objective"], abs=1e-3)
    eager = new_method()
    eager.load_state_dict(trained.last)
    image = torch.rand(1, 2, 12, 14, 16)
    assert torch.equal(eager.eval().segment(image), training.method.eval().segment(image))
    plainly = dataclasses.replace(compiled, budget=tiny.budget, seen=[])
    assert all(torch.equal(value, trained.last[name]) for name, value in plainly.run().last.items())
    assert plainly.seen == [("resumed", 6)]
    max(compiled.folder.glob("step-*.pt")).unlink()
    resumed = dataclasses.replace(compiled, seen=[])
    assert all(torch.equal(value, trained.last[name]) for name, value in resumed.run().last.items())
    assert resumed.seen[0] == ("resumed", 3)


def test_without_gradients_nothing_is_compiled(new_method):
    method = new_method().eval()
    image = torch.rand(1, 2, 8, 8, 8)
    before, names = method.segment(image), list(method.state_dict())
    graphs = torch._dynamo.utils.counters["stats"]
    graphs.clear()
    compile_for_training(method)
    compile_for_training(method)
    assert torch.equal(method.segment(image), before)
    assert list(method.state_dict()) == names
    assert not graphs
