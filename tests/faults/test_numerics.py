"""Numbers at their limits, in every loss that has a name: certain logits, whole volumes in half precision."""

from __future__ import annotations

import pytest
import torch

import losses
from losses.contract import examples

CERTAIN = 1e4
SIDE = 128


def make(name: str):
    loss = losses.create(name, **losses.describe(name).example)
    loss.prepare(losses.Statistics((0.9, 0.1)))
    return loss


@pytest.mark.parametrize("name", losses.available())
def test_probabilities_of_exactly_0_and_1_have_finite_value_and_gradient(name):
    loss = make(name)
    for example in examples(loss, 2, 3):
        logits = (example.logits.sign() * CERTAIN).requires_grad_()
        probabilities = logits.softmax(1)
        assert ((probabilities == 0) | (probabilities == 1) | (probabilities == 0.5)).all()
        value = loss(logits, example.labels, example.maps)
        (gradient,) = torch.autograd.grad(value, logits)
        assert value.isfinite(), example.title
        assert gradient.isfinite().all(), example.title


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in losses.available() if not make(name).required_maps])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sums_over_millions_of_half_precision_voxels_neither_overflow_nor_drift(name, dtype):
    loss = make(name)
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn((1, 2, SIDE, SIDE, SIDE), generator=generator).to(dtype)
    labels = (torch.rand((1, SIDE, SIDE, SIDE), generator=generator) < 0.01).to(torch.int8)
    value = loss(logits, labels)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(float(loss(logits.double(), labels)), rel=1e-4)
