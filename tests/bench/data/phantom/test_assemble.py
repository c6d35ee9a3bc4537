"""A generated case: what it holds, and that nothing but its settings and its number decides on it."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from bench.data.phantom import Phantom, generate
from bench.data.phantom.assemble import BACKGROUND, LIVER, TUMOUR
from bench.data.phantom.settings import PhantomSettings
from bench.files.checksum import sha256_bytes

SETTINGS = PhantomSettings(cases=12, seed=1000)
SMALL = PhantomSettings(cases=2, seed=1000, size=(24, 36, 32), spacing_mm=(4.0, 2.0, 2.5))
VOXEL_MM3 = float(np.prod(SETTINGS.spacing_mm))
TOUCHING = np.ones((3, 3, 3))


@pytest.fixture(scope="module")
def phantoms() -> list[Phantom]:
    return [generate(index, SETTINGS) for index in range(SETTINGS.cases)]


def digest(case: Phantom) -> str:
    return sha256_bytes(case.image.tobytes() + case.labels.tobytes() + case.distractors.tobytes())


@pytest.mark.parametrize("threads", ["1", "3"])
def test_another_process_with_other_thread_counts_makes_the_same_bytes(threads):
    program = (
        "from bench.data.phantom import generate\n"
        "from bench.data.phantom.settings import PhantomSettings\n"
        "from bench.files.checksum import sha256_bytes\n"
        f"case = generate(1, PhantomSettings.model_validate({SMALL.model_dump()!r}))\n"
        "print(sha256_bytes(case.image.tobytes() + case.labels.tobytes() + case.distractors.tobytes()))\n"
    )
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    result = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **limits}, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == digest(generate(1, SMALL))


def test_a_case_does_not_depend_on_the_number_of_cases_nor_on_those_made_before():
    alone = generate(1, SMALL.model_copy(update={"cases": 50}))
    generate(0, SMALL)
    assert digest(generate(1, SMALL)) == digest(alone)


def test_seeds_and_indices_give_different_anatomies():
    cases = [generate(0, SMALL), generate(1, SMALL), generate(0, SMALL.model_copy(update={"seed": 1001}))]
    assert len({case.labels.tobytes() for case in cases}) == len({digest(case) for case in cases}) == 3


def test_arrays_have_the_shape_type_and_geometry_of_a_volume():
    case = generate(0, SMALL)
    assert case.image.shape == (1, 24, 36, 32)
    assert case.image.dtype == np.float32
    assert case.labels.dtype == np.int16
    assert case.distractors.dtype == np.bool_
    assert case.geometry.shape == case.labels.shape == case.distractors.shape == (24, 36, 32)
    assert case.geometry.spacing_mm == (4.0, 2.0, 2.5)


def test_hounsfield_units_are_whole_and_within_a_scanners_range(phantoms):
    for case in phantoms:
        assert np.array_equal(case.image, np.rint(case.image))
        assert case.image.min() >= -1024
        assert case.image.max() <= 3071


def test_labels_nest_tumour_in_one_connected_liver_in_background(phantoms):
    for case in phantoms:
        assert set(np.unique(case.labels)) <= {BACKGROUND, LIVER, TUMOUR}
        assert ndimage.label(case.labels >= LIVER)[1] == 1
        outside_touching = ndimage.binary_dilation(case.labels == TUMOUR) & (case.labels == BACKGROUND)
        assert outside_touching.sum() <= 0.2 * (case.labels == TUMOUR).sum()


def test_distractors_are_liver_and_never_tumour(phantoms):
    for case in phantoms:
        assert (case.labels[case.distractors] == LIVER).all()
    assert sum(case.distractors.any() for case in phantoms) >= 11


def test_tumours_are_as_rare_as_in_lits(phantoms):
    share = np.mean([(case.labels == TUMOUR).mean() for case in phantoms])
    liver_ml = [(case.labels >= LIVER).sum() * VOXEL_MM3 / 1000 for case in phantoms]
    assert 0.0005 < share < 0.003
    assert 330 < np.mean(liver_ml) < 490


def test_lesions_per_case_and_their_sizes_are_in_band(phantoms):
    counts, sizes = [], []
    for case in phantoms:
        lesions, count = ndimage.label(case.labels == TUMOUR, TOUCHING)
        counts.append(count)
        sizes += list(np.bincount(lesions.ravel())[1:] * VOXEL_MM3)
    assert max(counts) <= 9
    assert 2 < np.mean(counts) < 5
    assert 350 < np.median(sizes) < 900
    assert min(sizes) >= 80
    assert max(sizes) / min(sizes) > 10


def test_tumours_are_darker_than_the_liver_and_blurred_at_their_edge(phantoms):
    inner, edge, liver = [], [], []
    for case in phantoms:
        tumour = case.labels == TUMOUR
        core = ndimage.binary_erosion(tumour, iterations=2)
        far = ndimage.binary_erosion((case.labels == LIVER) & ~case.distractors, iterations=2)
        if core.any():
            inner.append(case.image[0][core].mean())
            edge.append(case.image[0][tumour & ~ndimage.binary_erosion(tumour)].mean())
            liver.append(case.image[0][far].mean())
    assert 28 < np.mean(liver) - np.mean(inner) < 60
    assert np.mean(inner) + 5 < np.mean(edge) < np.mean(liver) - 5


def test_a_field_of_view_too_small_for_large_lesions_still_gives_a_case():
    tiny = PhantomSettings(cases=1, seed=1003, size=(16, 16, 16), spacing_mm=(2.0, 2.0, 2.0))
    assert (generate(0, tiny).labels >= LIVER).any()
