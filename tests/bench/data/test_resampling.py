from __future__ import annotations

import numpy as np
import pytest

from bench.data.geometry import Placement, place
from bench.data.resampling import to_native, to_prepared
from bench.data.volume import Geometry


def centres(n: int, spacing: float, first: int = 0) -> np.ndarray:
    """Millimetres of voxel centres from the outer edge."""
    return (np.arange(first, first + n) + 0.5) * spacing


def ramp(axes) -> np.ndarray:
    """A function that is linear in millimetres along each axis, which linear interpolation must reproduce."""
    grid = np.meshgrid(*axes, indexing="ij")
    return sum((k + 1) * axis for k, axis in enumerate(grid)).astype(np.float32)


@pytest.mark.parametrize("how", ["linear", "cubic"])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.35, 0.9), (5.0, 1.4, 1.6)])
def test_positions_in_millimetres_are_kept(flipped, how, spacing):
    native = Geometry((24, 26, 28), flipped.spacing_mm, flipped.origin, flipped.direction)
    placement = place(native, spacing)
    image = ramp([centres(n, s) for n, s in zip(native.shape, native.spacing_mm, strict=True)])
    expected = ramp([centres(n, t) for n, t in zip(placement.grid.shape, spacing, strict=True)])
    found = to_prepared(image, placement, how)
    inner = (slice(8, -8),) * 3 if how == "cubic" else (slice(3, -3),) * 3
    assert found.shape == placement.grid.shape
    assert np.allclose(found[inner], expected[inner], rtol=1e-3)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (4.0, 0.35, 0.5), (5.0, 1.4, 1.6), (1.25, 0.7, 0.8)])
def test_the_nearest_voxel_is_the_nearest_in_millimetres(flipped, spacing):
    placement = place(flipped, spacing)
    labels = np.random.default_rng(0).integers(-1, 5, flipped.shape).astype(np.int8)
    index = []
    for n, s, m, t in zip(flipped.shape, flipped.spacing_mm, placement.grid.shape, spacing, strict=True):
        distance = np.abs(centres(m, t)[:, None] - centres(n, s)[None, :])
        # of two equally near the later one
        index.append(n - 1 - np.argmin(np.round(distance, 9)[:, ::-1], axis=1))
    assert np.array_equal(to_prepared(labels, placement, "nearest"), labels[np.ix_(*index)])


def test_a_boxed_volume_is_the_box_of_the_whole_one(flipped):
    native = Geometry((60, 50, 40), flipped.spacing_mm, flipped.origin, flipped.direction)
    placement = place(native, (2.0, 1.0, 1.0))
    boxed = Placement(native, placement.grid, ((20, 40), (0, 15), (15, 32)))
    image = np.random.default_rng(0).normal(size=native.shape).astype(np.float32)
    for how, tolerance in (("nearest", 0), ("linear", 1e-5), ("cubic", 1e-5)):
        cut = to_prepared(image, placement, how)[20:40, :15, 15:32]
        assert np.allclose(to_prepared(image, boxed, how), cut, atol=tolerance)


def test_nothing_is_extrapolated_beyond_the_values_of_the_volume(flipped):
    image = np.full(flipped.shape, -1000, np.float32)
    for how in ("nearest", "linear", "cubic"):
        assert np.allclose(to_prepared(image, place(flipped, (3.3, 0.4, 1.7)), how), -1000, atol=0.01)


def test_without_resampling_the_copy_is_exact_and_free(flipped):
    placement = Placement(flipped, flipped, ((1, 3), (0, 6), (2, 5)))
    image = np.random.default_rng(0).normal(size=flipped.shape).astype(np.float32)
    piece = to_prepared(image, placement, "cubic")
    assert np.array_equal(piece, image[1:3, :, 2:5])
    piece[:] = 0
    assert image.any()
    assert to_native(piece, placement) is piece


def test_the_way_back_keeps_positions_too(flipped):
    native = Geometry((12, 20, 20), flipped.spacing_mm, flipped.origin, flipped.direction)
    placement = Placement(native, place(native, (1.0, 1.0, 1.0)).grid, ((5, 25), (0, 14), (3, 12)))
    axes = [centres(b - a, 1.0, a) for a, b in placement.box]
    back = to_native(ramp(axes), placement)
    box = placement.native_box
    expected = ramp([centres(b - a, s, a) for (a, b), s in zip(box, native.spacing_mm, strict=True)])
    assert back.shape == expected.shape
    assert np.allclose(back[1:-1, 1:-1, 1:-1], expected[1:-1, 1:-1, 1:-1], rtol=1e-4)


def test_2d_images_are_resampled_as_well():
    native = Geometry.plain((10, 12), (1.0, 0.5))
    placement = place(native, (2.0, 1.0))
    assert placement.grid.shape == (5, 6)
    image = ramp([centres(10, 1.0), centres(12, 0.5)])
    assert np.allclose(to_prepared(image, placement, "linear"), ramp([centres(5, 2.0), centres(6, 1.0)]), rtol=1e-5)
