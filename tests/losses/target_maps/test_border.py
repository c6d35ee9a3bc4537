"""U-Net's weight between two lesions."""

from __future__ import annotations

import numpy as np
import pytest

from losses import LossError
from losses.target_maps import compute


def formula(mask, w0=10.0, sigma=5.0):
    if mask.count < 2:
        return np.zeros(mask.mask.shape)
    first, second = np.sort(mask.to_lesion, axis=0)[:2]
    return w0 * np.exp(-((first + second) ** 2) / (2 * sigma**2))


def test_it_is_the_second_term_of_the_published_weight(equals):
    equals("border", formula)


def test_lesions_far_apart_are_not_cut_off_where_the_weight_still_counts(define):
    mask = np.zeros((3, 70), int)
    mask[:, [2, 20, 25, 63]] = 1
    np.testing.assert_allclose(compute("border", mask), formula(define(mask)), atol=1e-6)
    mask[:, [20, 25]] = 0
    assert not compute("border", mask).any()


def test_w0_and_sigma_are_options(define):
    mask = np.zeros((6, 20), int)
    mask[:2, :4] = mask[4:, 11:] = mask[0, 19] = 1
    np.testing.assert_allclose(compute("border", mask, w0=3, sigma=2), formula(define(mask), 3, 2), atol=1e-6)


def test_the_stored_map_gives_that_of_a_smaller_sigma():
    mask = np.zeros((1, 12), int)
    mask[0, [1, 4, 10]] = 1
    stored = compute("border", mask)
    np.testing.assert_allclose(4 * (stored / 10) ** ((5 / 3) ** 2), compute("border", mask, w0=4, sigma=3), atol=1e-5)


def test_sigma_is_in_the_unit_of_the_spacing():
    mask = np.zeros((1, 9), int)
    mask[0, [2, 6]] = 1
    assert compute("border", mask)[0, 4] == pytest.approx(10 * np.exp(-(4**2) / 50))
    assert compute("border", mask, (2.0, 2.0))[0, 4] == pytest.approx(10 * np.exp(-(8**2) / 50))


@pytest.mark.parametrize("options", [{"w0": -1}, {"sigma": 0}, {"sigma": float("nan")}])
def test_constants_outside_their_domain_are_refused(options):
    with pytest.raises(LossError, match=r"border: (w0|sigma) must be a number"):
        compute("border", np.ones((2, 2), int), **options)
