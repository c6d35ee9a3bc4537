"""No score rewards leaving out what was found: what must hold of every comparison on cases with target."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bench.evaluation.metrics import METRICS, pool
from bench.evaluation.scoring import score

SHAPE, SPACING_MM = (5, 8, 7), (2.5, 0.8, 0.7)
DISTANCES = [key for key, metric in METRICS.items() if metric.unit == "mm"]
ROUNDING = 1e-12

masks = arrays.arrays(bool, SHAPE, elements=st.booleans())


@st.composite
def cases_with_a_perfectly_segmented_lesion(draw):
    """Any two masks, with one lesion that is the same component of both: nothing of either mask touches it."""
    reference, prediction = draw(masks), draw(masks)
    lesion = np.zeros(SHAPE, dtype=bool)
    start = [draw(st.integers(0, extent - 1)) for extent in SHAPE]
    stop = [draw(st.integers(first + 1, min(first + 3, extent))) for first, extent in zip(start, SHAPE, strict=True)]
    lesion[tuple(map(slice, start, stop))] = True
    moat = np.zeros(SHAPE, dtype=bool)
    moat[tuple(slice(max(first - 1, 0), last + 1) for first, last in zip(start, stop, strict=True))] = True
    return (reference & ~moat) | lesion, (prediction & ~moat) | lesion, lesion


def not_better(after, before, keys):
    for key in keys:
        if METRICS[key].better == "higher":
            assert after[key] <= before[key] + ROUNDING, key
        else:
            assert after[key] >= before[key] - ROUNDING, key


@given(case=cases_with_a_perfectly_segmented_lesion())
@settings(max_examples=150, deadline=None)
def test_erasing_a_perfectly_segmented_lesion_improves_no_overlap_and_no_distance(case):
    reference, prediction, lesion = case
    before = score(reference, prediction, SPACING_MM)
    after = score(reference, prediction & ~lesion, SPACING_MM)
    not_better(after, before, ["dice", "volumetric_overlap_error", "surface_dice", *DISTANCES])


@given(case=cases_with_a_perfectly_segmented_lesion(), others=st.lists(st.tuples(masks, masks), max_size=2))
@settings(max_examples=60, deadline=None)
def test_erasing_a_perfectly_segmented_lesion_never_improves_global_dice(case, others):
    reference, prediction, lesion = case
    rest = [score(*pair, SPACING_MM) for pair in others]
    before = pool([score(reference, prediction, SPACING_MM), *rest])
    after = pool([score(reference, prediction & ~lesion, SPACING_MM), *rest])
    not_better(after, before, ["dice_global"])


@given(reference=masks, prediction=masks)
@settings(max_examples=150, deadline=None)
def test_erasing_a_whole_prediction_improves_no_dice_no_overlap_error_and_no_distance(reference, prediction):
    assume(reference.any())
    before = score(reference, prediction, SPACING_MM)
    after = score(reference, np.zeros_like(prediction), SPACING_MM)
    not_better(after, before, ["dice", "volumetric_overlap_error", "surface_dice", *DISTANCES])


def test_erasing_a_whole_prediction_can_raise_global_dice():
    """The one exception: a case whose prediction is almost all false pulls the pooled Dice down more than its few hits
    push it up. Case 1 is perfect (100 voxels), case 2 hits 1 of 2 voxels among 60."""
    perfect = np.zeros((10, 20), dtype=bool)
    perfect[:, :10] = True
    small, sprawling = np.zeros_like(perfect), np.zeros_like(perfect)
    small[0, 0:2] = True
    sprawling[0:3, 1:20] = True
    sprawling[3, 1:4] = True
    good = score(perfect, perfect, (1, 1))
    before = [good, score(small, sprawling, (1, 1))]
    after = [good, score(small, np.zeros_like(small), (1, 1))]
    assert pool(before)["dice_global"] == 2 * 101 / (200 + 62)
    assert pool(after)["dice_global"] == 2 * 100 / (200 + 2)
    assert pool(after)["dice_global"] > pool(before)["dice_global"]
    assert after[1]["dice"] < before[1]["dice"]


@given(reference=masks, prediction=masks)
@settings(max_examples=60, deadline=None)
def test_no_distance_exceeds_what_an_empty_prediction_costs(reference, prediction):
    assume(reference.any())
    assume(prediction.any())
    record, empty = score(reference, prediction, SPACING_MM), score(reference, np.zeros_like(reference), SPACING_MM)
    assert all(record[key] < empty[key] for key in DISTANCES)
