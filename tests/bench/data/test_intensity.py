from __future__ import annotations

import numpy as np
import pytest

from bench.data.intensity import normalised
from bench.data.settings import PreprocessingSettings

IMAGE = np.random.default_rng(0).normal(50, 30, (2, 6, 7, 8)).astype(np.float32)


def test_a_window_becomes_the_unit_range_and_the_rest_is_clipped():
    image = np.array([[[-200, -60, 40, 140, 900]]], np.float32)
    found, _, notes = normalised(image, None, PreprocessingSettings(window=(-60.0, 140.0)))
    assert found.ravel().tolist() == [0, 0, 0.5, 1, 1]
    assert notes == []
    assert image.max() == 900, "the image given is not changed"


def test_no_normalisation_changes_nothing():
    found, measured, _ = normalised(IMAGE, None, PreprocessingSettings())
    assert np.array_equal(found, IMAGE)
    assert measured == [{}, {}]


def test_zscore_is_taken_over_the_region_for_each_channel():
    region = np.zeros(IMAGE.shape[1:], bool)
    region[2:5, 2:5, 2:5] = True
    found, measured, _ = normalised(IMAGE, region, PreprocessingSettings(normalise="zscore"))
    for channel, facts, raw in zip(found, measured, IMAGE, strict=True):
        assert channel[region].mean() == pytest.approx(0, abs=1e-5)
        assert channel[region].std() == pytest.approx(1, abs=1e-5)
        assert facts["mean"] == pytest.approx(float(raw[region].mean()), rel=1e-5)


def test_percentiles_survive_a_few_absurd_voxels():
    image = IMAGE.copy()
    image[0, 0, 0, 0] = 1_704_295
    found, _, _ = normalised(image, None, PreprocessingSettings(normalise="percentiles"))
    assert found.min() == 0
    assert found.max() == 1
    assert 0.3 < np.median(found[0]) < 0.7


@pytest.mark.parametrize("value", [0.0, 1e6 + 0.1, -1024.0])
@pytest.mark.parametrize("how", ["zscore", "percentiles"])
def test_a_constant_channel_becomes_0_with_a_note(how, value):
    found, _, notes = normalised(np.full((1, 5, 5, 5), value, np.float32), None, PreprocessingSettings(normalise=how))
    assert not found.any()
    assert len(notes) == 1
    assert "constant" in notes[0]
