"""Asymmetric similarity: a soft F-score, and its identity with Tversky."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import losses
from losses import LossError


def random_case(channels=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((2, channels, 4, 5, 6), generator=generator, dtype=torch.float64)
    return logits, torch.randint(-1, channels, (2, 4, 5, 6), generator=generator)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), beta=st.floats(0.1, 5), channels=st.integers(2, 4))
def test_it_is_tversky_with_the_documented_weights(seed, beta, channels):
    logits, labels = random_case(channels, seed)
    square = beta**2
    tversky = losses.create("tversky", fp_weight=1 / (1 + square), fn_weight=square / (1 + square))
    ours = losses.create("asymmetric_similarity", beta=beta)
    torch.testing.assert_close(ours(logits, labels), tversky(logits, labels))


@pytest.mark.parametrize("beta", [0.5, 1.0, 1.5, 3.0])
def test_on_a_hard_mask_it_is_one_minus_the_f_score(beta):
    target = torch.tensor([[[1, 1, 1, 0, 0, 0]]])
    found = torch.tensor([[[1, 1, 0, 1, 0, 0]]])  # precision 2/3, recall 2/3 …
    found[0, 0, 4] = 1  # … and now precision 1/2
    logits = 60.0 * torch.stack([found == 0, found == 1], 1).double()
    precision, recall, square = 1 / 2, 2 / 3, beta**2
    score = (1 + square) * precision * recall / (square * precision + recall)
    value = losses.create("asymmetric_similarity", beta=beta)(logits, target).item()
    assert value == pytest.approx(1 - score, abs=1e-5)
    p = logits.softmax(1)[:, 1]
    squares = 1 - (1 + square) * (p * target).sum() / (square * target.square() + p.square()).sum()  # Shirokikh's form
    assert value == pytest.approx(squares.item(), abs=1e-5)


def test_on_soft_predictions_the_form_with_squares_differs():
    logits, labels = random_case()
    labels = labels.clamp(min=0)
    p = logits.softmax(1)[:, 1].flatten(1)
    g = labels.flatten(1)
    squares = 1 - 3.25 * (p * g).sum(1) / (2.25 * g + p.square()).sum(1)
    assert abs(losses.create("asymmetric_similarity")(logits, labels) - squares.mean()) > 0.01


def test_beta_one_is_dice():
    logits, labels = random_case()
    dice = losses.create("dice", smooth=2e-5)(logits, labels)
    torch.testing.assert_close(losses.create("asymmetric_similarity", beta=1)(logits, labels), dice)


def test_an_empty_target_costs_false_positives():
    value = losses.create("asymmetric_similarity")(torch.zeros(1, 2, 8, 8), torch.zeros(1, 8, 8, dtype=torch.long))
    assert value.item() == pytest.approx(32 / (32 + 1e-5 * 3.25))


def test_gradcheck():
    logits, labels = random_case(3)
    logits, labels = logits[:, :, :2, :2].contiguous().requires_grad_(), labels[:, :2, :2]
    loss = losses.create("asymmetric_similarity")
    assert torch.autograd.gradcheck(lambda x: loss(x, labels), (logits,))


@pytest.mark.parametrize("value", [0, -1.5, float("nan"), None])
def test_beta_outside_its_domain_is_refused(value):
    with pytest.raises(LossError, match="asymmetric_similarity: beta must be a number > 0, got"):
        losses.create("asymmetric_similarity", beta=value)


def test_it_offers_beta_and_not_the_weights_it_stands_for():
    assert set(losses.describe("asymmetric_similarity").parameters) == {"beta", "batch"}
