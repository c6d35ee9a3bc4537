"""Compiled soft counts are the soft counts: the two passes as they are written, then through the compiler."""

from __future__ import annotations

import shutil

import pytest
import torch

import losses
from losses import compiled_counts
from losses.compiled_counts import CompiledSoftCounts, are_compiled
from losses.soft_counts import soft_counts

needs_a_compiler = pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler")


def case(channels, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    shape = (2, 3, 4, 5)
    logits = torch.randn((2, channels, *shape[1:]), generator=generator, dtype=dtype, requires_grad=True)
    labels = torch.randint(-1, channels, shape, generator=generator)
    weight = torch.rand(shape, generator=generator, dtype=dtype)
    target_map = torch.rand((2, channels - 1, *shape[1:]), generator=generator, dtype=dtype)
    return logits, labels, weight, target_map


def gradient(counts, logits):
    (counts[0].square().sum() + (counts[1] * torch.arange(1, 1 + counts[1].shape[1])).sum()).backward()
    result, logits.grad = logits.grad, None
    return result


def assert_both_agree(channels, first, squared, weighted, mapped):
    logits, labels, weight, target_map = case(channels)
    weight, target_map = weight if weighted else None, target_map if mapped else None
    eager = soft_counts(
        logits,
        labels,
        include_background=first == 0,
        squared=squared,
        voxel_weight=weight,
        target_map=target_map,
    )
    expected = gradient(eager, logits)
    counts = CompiledSoftCounts.apply(logits, labels, weight, target_map, first, squared)
    for mine, theirs in zip(counts, eager, strict=True):
        torch.testing.assert_close(mine, theirs)
    torch.testing.assert_close(gradient(counts, logits), expected)


KINDS = [(1, False, False), (0, False, True), (1, True, True), (0, True, False)]


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize(("first", "squared", "weighted"), KINDS)
def test_the_passes_as_written_equal_the_soft_counts(channels, first, squared, weighted, monkeypatch):
    monkeypatch.setattr(compiled_counts, "_compiled", lambda function: function)
    assert_both_agree(channels, first, squared, weighted, mapped=False)
    if first == 1:
        assert_both_agree(channels, first, squared, weighted, mapped=True)


def test_compiling_a_loss_reaches_the_losses_inside_it_and_ends_with_its_call(monkeypatch):
    passes = []
    monkeypatch.setattr(compiled_counts, "_compiled", lambda function: passes.append(function.__name__) or function)
    logits, labels, *_ = case(2)
    loss = losses.create("sum", terms=[{"name": "dice"}, {"name": "cross_entropy"}])
    plain = loss(logits, labels)
    assert not passes
    loss.compile()
    torch.testing.assert_close(loss(logits, labels), plain)
    assert passes == ["count"]
    assert not are_compiled()


@pytest.mark.slow
@needs_a_compiler
@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("mapped", [False, True])
def test_through_the_compiler(channels, mapped):
    torch.compiler.reset()
    assert_both_agree(channels, 1, False, True, mapped)


@pytest.mark.slow
@needs_a_compiler
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_through_the_compiler(dtype):
    logits, labels, *_ = case(2, dtype)
    loss = losses.create("dice")
    plain = loss(logits, labels)
    plain.backward()
    expected, logits.grad = logits.grad, None
    loss.compile()
    value = loss(logits, labels)
    value.backward()
    assert value.dtype == torch.float32
    assert logits.grad.dtype == dtype
    torch.testing.assert_close(value, plain)
    torch.testing.assert_close(logits.grad, expected)
