"""The best threshold: against trying every threshold, and its rules."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.evaluation.thresholds import best_threshold_dice


def case(seed: int, contrast: float, offset: float = 0.0, shape: tuple[int, ...] = (6, 20, 20)):
    """A dark square in an organ that does not fill the image."""
    rng = np.random.default_rng(seed)
    roi = np.zeros(shape, dtype=bool)
    roi[1:-1, 2:-2, 2:-2] = True
    labels = np.zeros(shape, dtype=np.int8)
    labels[2:4, 6:12, 6:12] = 1
    image = rng.normal(0.6 + offset, 0.1, shape) - contrast * labels
    return np.where(roi, image, 0).astype(np.float32), labels, roi


def unzip(cases):
    return tuple(list(part) for part in zip(*cases, strict=True))


def test_it_matches_trying_every_threshold_in_both_directions():
    cases = [case(seed, 0.15) for seed in range(3)]
    found = best_threshold_dice(*unzip(cases), normalise=False, smooth_sigma=0.0)
    best = 0.0
    for threshold in np.linspace(0, 1, 400):
        for darker in (True, False):
            dices = []
            for image, labels, roi in cases:
                predicted = roi & ((image < threshold) == darker)
                dices.append(2 * (predicted & (labels > 0)).sum() / (predicted.sum() + (labels > 0).sum()))
            best = max(best, float(np.mean(dices)))
    assert found.dice == pytest.approx(best, abs=0.01)
    assert found.darker
    assert found.cases == 3


def test_a_clear_contrast_is_found_exactly_from_either_side():
    _, labels, roi = case(0, 0.0)
    dark = np.where(labels > 0, np.float32(0.1), np.float32(0.6))
    for sign in (1, -1):
        found = best_threshold_dice([sign * dark], [labels], [roi], normalise=False, smooth_sigma=0.0)
        assert found.dice == 1.0
        assert found.darker == (sign == 1)


def test_normalising_by_the_median_undoes_offsets_between_cases():
    cases = unzip([case(seed, 0.4, offset=0.5 * seed) for seed in range(4)])
    raw = best_threshold_dice(*cases, normalise=False, smooth_sigma=0.0)
    normalised = best_threshold_dice(*cases, normalise=True, smooth_sigma=0.0)
    assert normalised.dice > 0.85 > 0.6 > raw.dice


def test_smoothing_helps_against_noise_and_ignores_what_lies_outside_the_roi():
    image, labels, roi = case(1, 0.1)
    raw = best_threshold_dice([image], [labels], [roi], normalise=True, smooth_sigma=0.0)
    smooth = best_threshold_dice([image], [labels], [roi], normalise=True, smooth_sigma=1.0)
    other = best_threshold_dice(
        [np.where(roi, image, np.float32(9))], [labels], [roi], normalise=True, smooth_sigma=1.0
    )
    assert smooth.dice > raw.dice + 0.1
    assert other.dice == pytest.approx(smooth.dice)


def test_target_outside_the_roi_is_missed_and_ignored_voxels_do_not_count():
    _, labels, roi = case(2, 0.0)
    image = np.where(labels > 0, np.float32(0), np.float32(1))
    missed = labels.copy()
    missed[0] = 1  # outside the roi
    found = best_threshold_dice([image], [missed], [roi], normalise=False, smooth_sigma=0.0)
    inside, total = int((labels > 0).sum()), int((missed > 0).sum())
    assert found.dice == pytest.approx(2 * inside / (inside + total))
    ignored = missed.copy()
    ignored[0] = -1
    assert best_threshold_dice([image], [ignored], [roi], normalise=False, smooth_sigma=0.0).dice == 1.0


def test_cases_without_target_are_left_out_and_without_any_the_answer_is_nan():
    image, labels, roi = case(3, 0.3)
    empty = np.zeros_like(labels)
    with_empty = best_threshold_dice([image, image], [labels, empty], [roi, roi], normalise=False, smooth_sigma=0.0)
    assert with_empty.cases == 1
    nothing = best_threshold_dice([image], [empty], [roi], normalise=True, smooth_sigma=1.5)
    assert nothing.cases == 0
    assert math.isnan(nothing.dice)


def test_a_flat_image_gives_the_dice_of_predicting_the_whole_roi():
    _, labels, roi = case(4, 0.0)
    flat = np.full(labels.shape, 0.5, dtype=np.float32)
    found = best_threshold_dice([flat], [labels], [roi], normalise=False, smooth_sigma=0.0)
    assert found.dice == pytest.approx(2 * labels.sum() / (roi.sum() + labels.sum()))
