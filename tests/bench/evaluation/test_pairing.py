"""Which prediction belongs to which reference: never a guess, never a part of the cases."""

from __future__ import annotations

import pytest

from bench.errors import DataError
from bench.evaluation.pairing import pair_files


@pytest.fixture
def folders(tmp_path):
    def make(references, predictions):
        for folder, names in (("reference", references), ("prediction", predictions)):
            (tmp_path / folder).mkdir()
            for name in names:
                (tmp_path / folder / name).touch()
        return tmp_path / "reference", tmp_path / "prediction"

    return make


def names(pairs):
    return {stem: (reference.name, prediction.name) for stem, (reference, prediction) in pairs.items()}


def test_files_of_one_stem_belong_together_whatever_their_compression(folders):
    pairs = pair_files(*folders(["a.nii", "b.nii.gz", "notes.txt"], ["a.nii.gz", "b.nii.gz"]))
    assert names(pairs) == {"a": ("a.nii", "a.nii.gz"), "b": ("b.nii.gz", "b.nii.gz")}


def test_segmentations_and_predictions_of_lits_match_by_number_in_numeric_order(folders):
    pairs = pair_files(
        *folders(["segmentation-10.nii", "segmentation-2.nii"], ["volume-2.nii.gz", "test-segmentation-010.nii"])
    )
    assert list(pairs) == ["segmentation-2", "segmentation-10"]
    assert names(pairs)["segmentation-10"][1] == "test-segmentation-010.nii"


def test_scans_beside_their_segmentations_are_no_references(folders):
    pairs = pair_files(*folders(["volume-0.nii", "segmentation-0.nii"], ["segmentation-0.nii"]))
    assert list(pairs) == ["segmentation-0"]


def test_hidden_files_are_no_cases(folders):
    pairs = pair_files(*folders(["a.nii", "._a.nii", ".b.nii"], ["a.nii", "._a.nii"]))
    assert list(pairs) == ["a"]


def test_a_reference_without_prediction_is_an_error_that_names_it(folders):
    with pytest.raises(DataError, match=r"no prediction in .*prediction for b\.nii.*same number"):
        pair_files(*folders(["a.nii", "b.nii"], ["a.nii"]))


def test_a_prediction_without_reference_is_an_error_that_names_it(folders):
    with pytest.raises(DataError, match=r"no reference in .*reference for c\.nii"):
        pair_files(*folders(["a.nii"], ["a.nii", "c.nii"]))


def test_a_number_that_two_files_end_in_matches_nothing(folders):
    with pytest.raises(DataError, match=r"no prediction in .* for seg-1\.nii"):
        pair_files(*folders(["seg-1.nii"], ["fold0-1.nii", "fold1-1.nii"]))


def test_many_names_are_cut_short(folders):
    references = [f"case{letter}.nii" for letter in "abcdefghijklm"]
    with pytest.raises(DataError, match=r"casej\.nii and 3 more"):
        pair_files(*folders(references, ["x.nii"]))


def test_two_files_of_one_stem_are_refused(folders):
    with pytest.raises(DataError, match=r"a\.nii and .*a\.nii\.gz have the same stem"):
        pair_files(*folders(["a.nii", "a.nii.gz"], ["a.nii"]))


def test_a_folder_without_label_maps_is_refused(folders):
    with pytest.raises(DataError, match=r"no \.nii or \.nii\.gz file"):
        pair_files(*folders(["a.nii"], ["readme.md"]))


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        pair_files(tmp_path / "nowhere", tmp_path)
