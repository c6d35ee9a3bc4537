from __future__ import annotations

import matplotlib.image
import numpy as np
import pytest

from bench.report.plots.target_maps import MapCase, draw_target_maps
from losses import LossError


def case(*shape):
    mask = np.zeros(shape, bool)
    mask[..., 3:8, 3:8] = True
    mask[..., 11, 11] = True
    return MapCase("a mask", mask, (1.0,) * len(shape), None)


@pytest.mark.parametrize("shape", [(16, 16), (4, 16, 16)])
def test_masks_of_two_and_three_axes_are_drawn(shape, tmp_path):
    draw_target_maps(case(*shape), None, tmp_path / "maps.png")
    assert matplotlib.image.imread(tmp_path / "maps.png").shape[1] == 1200


def test_an_unknown_map_is_an_error_and_leaves_no_file(tmp_path):
    with pytest.raises(LossError, match="Did you mean 'distance'"):
        draw_target_maps(case(16, 16), ["distanse"], tmp_path / "maps.png")
    assert not (tmp_path / "maps.png").exists()


def test_slices_of_thick_voxels_keep_their_proportions(tmp_path):
    tall = MapCase("tall", case(16, 16).mask, (3.0, 1.0), None)
    draw_target_maps(tall, ["distance"], tmp_path / "tall.png")
    draw_target_maps(case(16, 16), ["distance"], tmp_path / "square.png")
    heights = [matplotlib.image.imread(tmp_path / f"{name}.png").shape[0] for name in ("tall", "square")]
    assert heights[0] > 2 * heights[1]
