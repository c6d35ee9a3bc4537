"""Scoring folders of real NIfTI files."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import SimpleITK

from bench.errors import DataError
from bench.evaluation.files import COLUMNS, score_folders, summary_lines, write_scores
from bench.evaluation.metrics import EMPTY_POLICY, METRICS
from bench.evaluation.scoring import score

SPACING_MM = (3.0, 0.8, 0.7)


def write(path, labels, spacing_mm=SPACING_MM, origin=(0.0, 0.0, 0.0)):
    path.parent.mkdir(exist_ok=True)
    image = SimpleITK.GetImageFromArray(labels)
    image.SetSpacing(spacing_mm[::-1])
    image.SetOrigin(origin)
    SimpleITK.WriteImage(image, str(path))


def labels(tumour, shape=(6, 9, 8)):
    """Liver 1 with a tumour 2 in it."""
    volume = np.zeros(shape, dtype=np.uint8)
    volume[1:5, 1:8, 1:7] = 1
    volume[tumour] = 2
    return volume


ONE, OTHER, NONE = np.s_[2:4, 2:5, 2:5], np.s_[2:4, 3:6, 2:5], np.s_[0:0]


@pytest.fixture
def folders(tmp_path):
    """Three cases in LiTS's names: two with tumour, one without on which something is found."""
    for case, (reference, prediction) in enumerate([(ONE, ONE), (ONE, OTHER), (NONE, ONE)]):
        write(tmp_path / "reference" / f"segmentation-{case}.nii", labels(reference))
        write(tmp_path / "prediction" / f"volume-{case}.nii.gz", labels(prediction))
    return tmp_path / "reference", tmp_path / "prediction"


def test_every_case_is_scored_as_by_the_function_on_arrays(folders):
    rows = score_folders(*folders, label=2, tolerance_mm=0.5)
    assert [row["case"] for row in rows] == ["segmentation-0", "segmentation-1", "segmentation-2"]
    assert all(tuple(row) == COLUMNS for row in rows)
    expected = score(labels(ONE) == 2, labels(OTHER) == 2, SPACING_MM, tolerance_mm=0.5)
    assert {key: rows[1][key] for key in expected} == pytest.approx(expected, rel=1e-6)


def test_without_a_label_every_value_but_zero_is_the_target(folders):
    assert [row["dice"] for row in score_folders(*folders)] == [1, 1, 1]


def test_label_maps_that_were_saved_as_floating_point_numbers_are_read(tmp_path):
    for folder in ("reference", "prediction"):
        write(tmp_path / folder / "a.nii", labels(ONE).astype(np.float64))
    assert score_folders(tmp_path / "reference", tmp_path / "prediction", label=2)[0]["dice"] == 1


def test_two_dimensional_files_are_scored(tmp_path):
    for folder in ("reference", "prediction"):
        write(tmp_path / folder / "a.nii", labels(ONE)[3], spacing_mm=(0.8, 0.7))
    (row,) = score_folders(tmp_path / "reference", tmp_path / "prediction", label=2)
    assert (row["dice"], row["reference_voxels"]) == (1, 9)


def test_the_csv_holds_all_columns_with_all_digits_and_an_empty_field_for_undefined(folders, tmp_path):
    rows = score_folders(*folders, label=2)
    write_scores(rows, tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert tuple(read[0]) == COLUMNS
    assert float(read[1]["hausdorff95_mm"]) == rows[1]["hausdorff95_mm"]
    assert read[1]["reference_voxels"] == "18"
    assert read[2]["relative_volume_difference"] == ""


def test_the_summary_says_what_each_mean_is_over_and_prints_the_policy(folders):
    lines = summary_lines(score_folders(*folders, label=2))
    assert lines[0].startswith("3 cases, 2 with target")
    assert all(sum(f"({key})" in line for line in lines) == 1 for key in METRICS)
    assert any("DC  mean 0.8333 (n = 2), median 0.8333 (n = 2)" in line for line in lines)
    volume_mm3 = 18 * 3.0 * 0.8 * 0.7
    assert any(f"1 cases without target: mean false-positive volume {volume_mm3:.1f} mm³" in line for line in lines)
    assert lines[-1].endswith(EMPTY_POLICY)


def test_another_shape_is_an_error_that_names_both_files(tmp_path):
    write(tmp_path / "reference" / "a.nii", labels(ONE))
    write(tmp_path / "prediction" / "a.nii", labels(ONE, shape=(6, 9, 9)))
    with pytest.raises(DataError, match=r"shapes differ.*reference.a\.nii.*prediction.a\.nii"):
        score_folders(tmp_path / "reference", tmp_path / "prediction")


def test_another_spacing_is_an_error_that_names_both_files(tmp_path):
    write(tmp_path / "reference" / "a.nii", labels(ONE))
    write(tmp_path / "prediction" / "a.nii", labels(ONE), spacing_mm=(3.0, 0.8, 0.75))
    with pytest.raises(DataError, match=r"spacings differ.*reference.a\.nii.*prediction.a\.nii"):
        score_folders(tmp_path / "reference", tmp_path / "prediction")


def test_another_origin_is_noted_in_the_row_and_in_the_summary(tmp_path):
    write(tmp_path / "reference" / "a.nii", labels(ONE))
    write(tmp_path / "prediction" / "a.nii", labels(ONE), origin=(0.0, 0.0, 5.0))
    rows = score_folders(tmp_path / "reference", tmp_path / "prediction", label=2)
    assert "origins differ" in rows[0]["note"]
    assert any("column `note`" in line and "a" in line for line in summary_lines(rows))


def test_probabilities_are_no_label_map(tmp_path):
    write(tmp_path / "reference" / "a.nii", labels(ONE))
    write(tmp_path / "prediction" / "a.nii", labels(ONE).astype(np.float32) / 3)
    with pytest.raises(DataError, match=r"prediction.a\.nii has \d+ voxels that are no integers"):
        score_folders(tmp_path / "reference", tmp_path / "prediction")


def test_a_label_that_no_reference_holds_is_an_error(folders):
    with pytest.raises(DataError, match=r"label 7 occurs in none of the 3 references"):
        score_folders(*folders, label=7)


def test_a_damaged_file_is_named(folders):
    path = folders[1] / "volume-1.nii.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"volume-1\.nii\.gz"):
        score_folders(*folders)
