from __future__ import annotations

import numpy as np
import pytest

from bench.data.intensity import normalised, stored_as
from bench.data.settings import PreprocessingSettings
from bench.errors import DataError

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


def test_float32_is_stored_as_it_is_and_float16_rounded():
    assert stored_as(IMAGE, "float32") is IMAGE
    half = stored_as(IMAGE, "float16")
    assert half.dtype == np.float16
    assert np.abs(half - IMAGE).max() <= np.abs(IMAGE).max() * 2.0**-11
    assert not stored_as(np.zeros((1, 2, 2), np.float32), "float16").any()


@pytest.mark.parametrize(
    ("low", "high", "told"), [(-1024, 65520, "-1024 to 65520"), (-7e4, 1, "-70000 to 1"), (0, 3e-5, "0 to 3e-05")]
)
def test_values_that_float16_cannot_keep_are_refused_with_their_range(low, high, told):
    image = np.array([[[low, high]]], np.float32)
    with pytest.raises(DataError, match=f"intensities from {told} do not fit into float16.*image_dtype: float32"):
        stored_as(image, "float16")
