from __future__ import annotations

import json

import numpy as np
import pytest

from bench.data.volume import Geometry, Volume


def test_a_geometry_survives_json_exactly(flipped):
    assert Geometry.from_json(json.loads(json.dumps(flipped.to_json()))) == flipped


@pytest.mark.parametrize("spacing", [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, float("nan"))])
def test_a_spacing_that_is_not_positive_is_refused(spacing):
    with pytest.raises(ValueError, match="expected positive"):
        Geometry.plain((2, 3, 4), spacing)


def test_a_geometry_with_unequal_numbers_of_axes_is_refused():
    with pytest.raises(ValueError, match="same number"):
        Geometry((2, 3, 4), (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0))


def test_voxels_must_fit_their_geometry(flipped):
    with pytest.raises(ValueError, match="labels of shape"):
        Volume(None, np.zeros((5, 6, 8), np.int16), flipped)
    with pytest.raises(ValueError, match="image of shape"):
        Volume(np.zeros((1, 5, 6, 8), np.float32), None, flipped)
