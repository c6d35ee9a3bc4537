"""What a loss may know of the training set."""

from __future__ import annotations

import pytest

from losses import LossError, Statistics


def test_frequencies_that_add_up_are_taken():
    assert Statistics((0.9, 0.1)).class_frequencies == (0.9, 0.1)
    assert Statistics((1.0, 0.0)).class_frequencies == (1.0, 0.0)


@pytest.mark.parametrize("frequencies", [(), (1.0,), (0.9, 0.2), (1.1, -0.1), (float("nan"), 1.0)])
def test_frequencies_that_are_none_are_refused(frequencies):
    with pytest.raises(LossError, match="expected two or more numbers >= 0 that add up to 1, got"):
        Statistics(frequencies)


def test_inverse_frequencies_are_a_power_of_one_over_each():
    assert Statistics((0.8, 0.2)).inverse_frequencies("loss", power=1) == pytest.approx((1.25, 5.0))
    assert Statistics((0.96, 0.04)).inverse_frequencies("loss", power=0.5)[1] == pytest.approx(5.0)


def test_a_class_without_voxels_has_no_inverse_frequency():
    with pytest.raises(LossError, match=r"loss: class 1 has no voxel .* \(frequencies \(1\.0, 0\.0\)\)"):
        Statistics((1.0, 0.0)).inverse_frequencies("loss", power=1)
