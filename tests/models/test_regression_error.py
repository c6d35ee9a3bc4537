"""The error of a regressed map: its formulas, what is ignored, what it is divided by."""

from __future__ import annotations

import pytest
import torch

from models.regression_error import REDUCTIONS, absolute, smooth_l1

ERRORS = {"smooth_l1": smooth_l1, "absolute": absolute}


def parabola_then_line(x):
    return x * x / 2 if abs(x) < 1 else abs(x) - 0.5


FORMULAS = {"smooth_l1": parabola_then_line, "absolute": abs}


@pytest.fixture
def given():
    """Values on both sides of |x| = 1, two maps, labels with every class and −1; float64."""
    generator = torch.Generator().manual_seed(0)
    values = 2 * torch.randn(2, 2, 4, 5, generator=generator, dtype=torch.float64)
    target = torch.rand(2, 2, 4, 5, generator=generator, dtype=torch.float64)
    return values, target, torch.randint(-1, 3, (2, 4, 5), generator=generator)


def plain(formula, values, target, labels, reduction):
    total, counted, foreground = 0.0, 0, 0
    for b, k, y, x in torch.cartesian_prod(*map(torch.arange, values.shape)).tolist():
        if labels[b, y, x] >= 0:
            total += formula(float(values[b, k, y, x] - target[b, k, y, x]))
            counted += 1
            foreground += bool(k == 0 and labels[b, y, x] > 0)
    return total / (counted if reduction == "mean" else foreground)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ERRORS)
def test_it_is_its_formula_over_the_voxels_that_count(name, reduction, given):
    expected = plain(FORMULAS[name], *given, reduction)
    assert float(ERRORS[name](*given, reduction)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_without_a_word_it_is_the_mean(error, given):
    assert error(*given) == error(*given, "mean")


def test_the_mean_of_a_small_lesion_shrinks_with_the_patch_and_that_over_foreground_does_not():
    found = {}
    for size in (10, 20):
        labels = torch.zeros(1, size, size, dtype=torch.long)
        labels[0, :2, :2] = 1
        target = labels[:, None].float()
        found[size] = [
            float(smooth_l1(torch.zeros_like(target), target, labels, reduction)) for reduction in REDUCTIONS
        ]
    assert found[10] == pytest.approx([0.5 * 4 / 100, 0.5])
    assert found[20] == pytest.approx([0.5 * 4 / 400, 0.5])


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_ignored_voxels_change_neither_value_nor_gradient(error, reduction, given):
    values, target, labels = given
    ignored = (labels < 0)[:, None]
    leaf = values.clone().requires_grad_()
    value = error(leaf, target, labels, reduction)
    value.backward()
    assert not (leaf.grad * ignored).any()
    assert leaf.grad.masked_select(~ignored).any()
    assert error(values + 7 * ignored, target - 3 * ignored, labels, reduction) == value


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_a_patch_without_foreground_or_without_labels_has_a_finite_error(error, reduction, given):
    values, target, labels = given
    for empty, is_zero in ((torch.zeros_like(labels), False), (torch.full_like(labels, -1), True)):
        leaf = values.clone().requires_grad_()
        value = error(leaf, target, empty, reduction)
        value.backward()
        assert value.isfinite()
        assert leaf.grad.isfinite().all()
        assert (value == 0) == is_zero


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_the_gradient_is_that_of_the_value(error, reduction, given):
    values, target, labels = given
    assert torch.autograd.gradcheck(lambda leaf: error(leaf, target, labels, reduction), values.requires_grad_())


@pytest.mark.parametrize(
    ("given_in", "computed_in"),
    [(torch.bfloat16, torch.float32), (torch.float32, torch.float32), (torch.float64, torch.float64)],
)
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_half_precision_is_computed_in_float32_and_float64_stays(error, given_in, computed_in, given):
    values, target, labels = given
    value = error(values.to(given_in), target.float(), labels)
    assert value.dtype == computed_in
    torch.testing.assert_close(value, error(values.to(given_in).double(), target.float(), labels).to(computed_in))
