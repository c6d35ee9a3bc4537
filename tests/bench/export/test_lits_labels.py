"""One label map of two masks: tumour wins, and what lies outside of the liver is counted."""

from __future__ import annotations

import numpy as np

from bench.export.lits_labels import combined, in_words


def test_tumour_stays_tumour_inside_and_outside_of_the_liver():
    liver, tumour = np.array([[True, True, True, False, False]]), np.array([[False, True, False, True, False]])
    labels, voxels = combined(liver, tumour)
    assert labels.tolist() == [[1, 2, 1, 2, 0]]
    assert labels.dtype == np.uint8
    assert (voxels.liver, voxels.tumour, voxels.tumour_outside_liver) == (2, 2, 1)
    assert in_words(voxels) == "liver 2 voxels, tumour 2, 1 of them outside of the liver"


def test_without_a_liver_nothing_is_said_to_lie_outside_of_it():
    labels, voxels = combined(None, np.array([[True, False]]))
    assert labels.tolist() == [[2, 0]]
    assert (voxels.liver, voxels.tumour, voxels.tumour_outside_liver) == (0, 1, None)
    assert in_words(voxels) == "liver 0 voxels, tumour 1"
