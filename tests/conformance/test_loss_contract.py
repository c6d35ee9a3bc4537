"""Every loss that can be chosen by name keeps the contract, those of other distributions included."""

from __future__ import annotations

import inspect
import shutil

import pytest
import torch

import losses
from losses.base import Loss
from losses.contract import Example, check, examples
from losses.registry import locate


def make(name: str) -> Loss:
    return losses.create(name, **losses.describe(name).example)


@pytest.mark.parametrize("name", losses.available())
def test_every_registered_loss_keeps_the_contract(name):
    check(make(name))


@pytest.mark.parametrize("name", losses.available())
@pytest.mark.parametrize("channels", [2, 3])
def test_every_gradient_is_that_of_the_value(name, channels):
    loss = make(name)
    loss.prepare(losses.Statistics((0.9, *[0.1 / (channels - 1)] * (channels - 1))))
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn((2, channels, 3, 4), generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(-1, channels, (2, 3, 4), generator=generator)
    if loss.required_maps:
        pytest.skip(f"{name} needs maps; its own test compares the gradient")
    assert torch.autograd.gradcheck(lambda x: loss(x, labels), (logits,))


@pytest.mark.parametrize("name", losses.available())
def test_a_resolved_specification_makes_the_same_loss(name):
    resolved = losses.resolve({"name": name, **losses.describe(name).example})
    assert losses.resolve(resolved) == resolved
    assert type(losses.create(**resolved)) is type(make(name))


@pytest.mark.parametrize("name", losses.available())
def test_documentation_has_the_formula_the_shapes_the_errors_and_the_empty_target(name):
    text = inspect.getdoc(type(make(name))) or ""
    for part in ("L = ", "Raises `LossError`", "empty target"):
        assert part in text, f"{locate(type(make(name)))}: the docstring lacks {part!r}"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize("name", losses.available())
@pytest.mark.parametrize("channels", [2, 3])
def test_every_loss_is_the_same_when_compiled(name, channels):
    torch.compiler.reset()
    loss = make(name)
    loss.prepare(losses.Statistics((0.9, *[0.1 / (channels - 1)] * (channels - 1))))
    example = examples(loss, channels, 3)[0]
    value, gradient = run(loss, example)
    loss.compile()
    compiled_value, compiled_gradient = run(loss, example)
    torch.testing.assert_close(compiled_value, value)
    torch.testing.assert_close(compiled_gradient, gradient, atol=1e-6 * float(gradient.abs().max()), rtol=1e-5)


def run(loss: Loss, example: Example) -> tuple[torch.Tensor, torch.Tensor]:
    logits = example.logits.clone().requires_grad_()
    value = loss(logits, example.labels, example.maps)
    value.backward()
    return value.detach(), logits.grad
