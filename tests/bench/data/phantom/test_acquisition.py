"""Blur, noise and rounding."""

from __future__ import annotations

import numpy as np

from bench.data.phantom.acquisition import acquire

FLAT = np.full((30, 40, 40), 100.0, dtype=np.float32)


def test_noise_is_11_hu_give_or_take_a_fifth():
    sds = [acquire(np.random.default_rng(seed), FLAT).std() for seed in range(12)]
    assert 8.5 < min(sds) < max(sds) < 13.5
    assert abs(np.mean(sds) - 11) < 1.2


def test_noise_is_correlated_within_a_slice_more_than_across():
    noise = acquire(np.random.default_rng(1), FLAT) - 100
    variance = (noise * noise).mean()
    assert (noise[:, :, 1:] * noise[:, :, :-1]).mean() > 0.4 * variance
    assert (noise[1:] * noise[:-1]).mean() < 0.15 * variance


def test_a_sharp_edge_becomes_a_partial_volume():
    step = np.where(np.arange(40) < 20, 0.0, 400.0).astype(np.float32) * np.ones((30, 40, 1), dtype=np.float32)
    profile = acquire(np.random.default_rng(2), step).mean((0, 1))
    assert 40 < profile[19] < 150
    assert 250 < profile[20] < 360
    assert abs(profile[10]) < 3
