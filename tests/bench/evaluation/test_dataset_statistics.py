from __future__ import annotations

import numpy as np
import pytest

from bench.data.dataset import open_dataset
from bench.data.formats.lits import LitsSettings
from bench.data.volume import Geometry
from bench.data.writing import write_image, write_labels
from bench.evaluation.dataset_statistics import all_volumes, case_statistics, table, warnings

SHAPE = (10, 20, 20)


@pytest.fixture
def dataset(tmp_path):
    """Case 0: tumours of 8 and 1 voxels and an ignored half; case 1: none; voxels of 2 mm³."""
    for number in range(2):
        labels = np.zeros(SHAPE, np.uint8)
        labels[5:] = 9
        if number == 0:
            labels[1:3, 1:3, 1:3], labels[4, 10, 10] = 2, 2
        geometry = Geometry.plain(SHAPE, (2.0, 1.0, 1.0))
        write_image(tmp_path / f"volume-{number}.nii", np.zeros(SHAPE, np.float32), geometry)
        write_labels(tmp_path / f"segmentation-{number}.nii", labels, geometry)
    return open_dataset(LitsSettings(root=tmp_path, target={"tumour": (2,), "cyst": (3,)}, ignore_label=9))


def test_lesions_are_components_with_volumes_in_mm3_and_ignored_voxels_do_not_count(dataset):
    full, empty = (case_statistics(dataset, case) for case in dataset.cases())
    assert full.lesion_volumes == {"tumour": (16.0, 2.0), "cyst": ()}
    assert full.foreground == 9 / 2000
    assert empty.foreground == 0
    assert all_volumes([full, empty]) == {"tumour": [16.0, 2.0], "cyst": []}


def test_the_table_stands_beside_lits_and_counts_cases_without_target(dataset):
    rows = {name: (mine, lits) for name, mine, lits in table([case_statistics(dataset, c) for c in dataset.cases()])}
    assert rows["cases"] == ("2", "131")
    assert rows["cases without target"][0] == "1"
    assert rows["spacing (z, y, x), mm"][0] == "2 × 1 × 1 (from 2 × 1 × 1 to 2 × 1 × 1)"
    assert rows["foreground, % of voxels"] == ("0.45 [0.45, 0.45]", "0.124")
    assert rows["lesions per case (tumour)"] == ("2 [2, 2]", "3 [1, 9]")
    assert rows["lesion volume (tumour), mm³"] == ("9 [5.5, 12.5]", "539")
    assert rows["lesion volume (cyst), mm³"][0] == "–"


def test_a_set_with_much_foreground_or_none_is_warned_of(dataset, crops):
    full, empty = (case_statistics(dataset, case) for case in dataset.cases())
    assert warnings([full, empty]) == []
    assert warnings([empty]) == ["no case has a voxel of the target"]
    (warning,) = warnings([case_statistics(*crops)])
    assert "more than 1%: not imbalanced enough" in warning


@pytest.fixture
def crops(tmp_path_factory):
    """A case of a twentieth foreground, as the hippocampus crops of the decathlon have."""
    root = tmp_path_factory.mktemp("crops")
    labels = np.zeros(SHAPE, np.uint8)
    labels[4:8, 5:10, 5:15] = 1
    write_image(root / "volume-0.nii", np.zeros(SHAPE, np.float32), Geometry.plain(SHAPE))
    write_labels(root / "segmentation-0.nii", labels, Geometry.plain(SHAPE))
    opened = open_dataset(LitsSettings(root=root, target=(1,)))
    return opened, opened.cases()[0]
