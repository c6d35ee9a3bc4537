"""What other tools call by the same name: where it is the same number, and by how much it is another one elsewhere.

MedPy's distances are written down here from their description: surface = mask minus its erosion, distances from a
distance transform of the other surface, by default with 6 neighbours. For ASSD version 0.2.2 averages the two directed
means; 0.5.2 pools all distances. The LiTS scorer pools too, on surfaces with 18 neighbours.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import surface_distance
import torch
from monai.metrics import compute_average_surface_distance, compute_dice, compute_hausdorff_distance
from scipy import ndimage

from bench.evaluation.scoring import score

pytestmark = pytest.mark.filterwarnings("ignore:::monai", "ignore:::surface_distance")

ASSD, MSD, HD95 = "average_symmetric_surface_distance_mm", "max_surface_distance_mm", "hausdorff95_mm"
RMSD = "rms_surface_distance_mm"
THICK = (2.5, 0.8, 0.8)
NEIGHBOURS = {6: 1, 18: 2, 26: 3}
"""Number of neighbours → connectivity in 3D."""


def ball(shape, centre, radii):
    return sum(((axis - c) / r) ** 2 for axis, c, r in zip(np.indices(shape), centre, radii, strict=True)) <= 1


def eroded_surface(mask, neighbours):
    element = ndimage.generate_binary_structure(mask.ndim, NEIGHBOURS[neighbours])
    return mask & ~ndimage.binary_erosion(mask, element)


def directed(source, target, spacing_mm, neighbours):
    """MedPy's distances of every surface voxel of `source` to the surface of `target`."""
    away = ndimage.distance_transform_edt(~eroded_surface(target, neighbours), sampling=spacing_mm)
    return away[eroded_surface(source, neighbours)]


def both_ways(reference, prediction, spacing_mm, neighbours):
    return directed(reference, prediction, spacing_mm, neighbours), directed(
        prediction, reference, spacing_mm, neighbours
    )


def speckle(share, seed):
    return np.random.default_rng(seed).random((8, 9, 10)) < share


PAIRS = {
    "shifted": (ball((20, 30, 30), (10, 15, 15), (5, 9, 9)), ball((20, 30, 30), (11, 15, 15), (5, 9, 9))),
    "large and small": (ball((20, 30, 30), (9, 14, 14), (7, 12, 12)), ball((20, 30, 30), (9, 10, 18), (2, 3, 3))),
    "at the border": (ball((12, 20, 20), (0, 5, 0), (6, 9, 9)), ball((12, 20, 20), (1, 4, 0), (6, 9, 7))),
    "full and one voxel": (np.ones((6, 7, 8), bool), ball((6, 7, 8), (3, 3, 3), (0.5, 0.5, 0.5))),
    "speckle": (speckle(0.4, 0), speckle(0.8, 1)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pooled_distances_of_surfaces_with_18_neighbours_are_ours(name):
    """The definition of the LiTS scorer, and of MedPy 0.5.2 with `connectivity=2`."""
    reference, prediction = PAIRS[name]
    pooled = np.concatenate(both_ways(reference, prediction, THICK, 18))
    record = score(reference, prediction, THICK)
    assert record[ASSD] == pytest.approx(pooled.mean(), abs=1e-9)
    assert record[MSD] == pytest.approx(pooled.max(), abs=1e-9)
    assert record[RMSD] == pytest.approx(math.sqrt((pooled**2).mean()), abs=1e-9)


def test_averaging_the_two_directed_means_is_another_assd_where_the_surfaces_differ_in_size():
    reference, prediction = PAIRS["large and small"]
    there, back = both_ways(reference, prediction, THICK, 18)
    averaged = (there.mean() + back.mean()) / 2
    ours = score(reference, prediction, THICK)[ASSD]
    assert (averaged, ours) == (pytest.approx(6.5505, abs=1e-4), pytest.approx(8.9681, abs=1e-4))


def test_the_neighbourhood_and_areas_in_place_of_voxels_give_four_values_of_one_assd():
    reference, prediction = PAIRS["shifted"]
    found = {n: np.concatenate(both_ways(reference, prediction, THICK, n)).mean() for n in NEIGHBOURS}
    areas = surface_distance.compute_average_surface_distance(
        surface_distance.compute_surface_distances(reference, prediction, THICK)
    )
    assert score(reference, prediction, THICK)[ASSD] == pytest.approx(found[18], abs=1e-9)
    assert found == pytest.approx({6: 1.0643, 18: 0.7474, 26: 0.6340}, abs=1e-4)
    assert np.mean(areas) == pytest.approx(0.4512, abs=1e-4)


def test_hd95_of_both_directions_pooled_misses_a_false_blob_that_the_larger_direction_sees():
    """Over five per cent of the predicted surface is far away, under five per cent of both surfaces together."""
    reference = ball((20, 40, 60), (10, 20, 20), (5, 12, 12))
    prediction = reference | ball((20, 40, 60), (10, 20, 52), (2, 4, 4))
    there, back = both_ways(reference, prediction, THICK, 18)
    assert 0.05 < np.mean(back > 0) < 0.1
    assert np.percentile(np.concatenate([there, back]), 95) == 0
    assert score(reference, prediction, THICK)[HD95] == pytest.approx(np.percentile(back, 95), abs=1e-9)
    assert np.percentile(back, 95) > 10


def test_monai_takes_the_larger_direction_of_surfaces_with_6_neighbours():
    reference, prediction = PAIRS["shifted"]
    there, back = both_ways(reference, prediction, THICK, 6)
    theirs = compute_hausdorff_distance(*one_hot(prediction, reference), spacing=THICK, percentile=95).item()
    assert theirs == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)), rel=1e-5)
    averaged = compute_average_surface_distance(*one_hot(prediction, reference), symmetric=True, spacing=THICK).item()
    assert averaged == pytest.approx(np.concatenate([there, back]).mean(), rel=1e-5)


def test_an_empty_prediction_is_no_number_in_monai_and_the_diagonal_here():
    """surface-distance 0.1 cannot be asked: its answer for empty masks is `np.Inf`, which numpy 2 has no more."""
    reference = PAIRS["shifted"][0]
    nothing = np.zeros_like(reference)
    diagonal = math.hypot(20 * 2.5, 30 * 0.8, 30 * 0.8)
    assert score(reference, nothing, THICK)[MSD] == pytest.approx(diagonal)
    assert not np.isfinite(compute_hausdorff_distance(*one_hot(nothing, reference), spacing=THICK).item())


def test_two_empty_masks_are_perfect_here_and_no_number_in_monai():
    nothing = np.zeros((4, 5, 6), bool)
    assert score(nothing, nothing, THICK)["dice"] == 1
    assert np.isnan(compute_dice(*one_hot(nothing, nothing), include_background=False).item())


def one_hot(*masks):
    return [torch.from_numpy(np.stack([~mask, mask])[None].astype(np.float32)) for mask in masks]
