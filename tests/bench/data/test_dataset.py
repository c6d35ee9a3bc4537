from __future__ import annotations

from pathlib import Path

import pytest

from bench.data.dataset import checked_cases, natural_key, open_dataset
from bench.data.fingerprints import FingerprintMemory
from bench.data.formats.lits import LitsSettings
from bench.data.settings import DatasetSettings
from bench.data.volume import Case
from bench.errors import DataError


def test_numbers_in_names_sort_as_numbers():
    assert sorted(["v-10", "v-9", "v-09", "a", "v-100"], key=natural_key) == ["a", "v-09", "v-9", "v-10", "v-100"]


def test_an_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(DataError, match=r"unknown dataset format 'lit'. Did you mean 'lits'\?"):
        open_dataset(DatasetSettings(format="lit", target=(1,)))


def test_ids_that_differ_only_in_the_case_of_letters_are_the_same_id():
    cases = [Case("Liver", "a", (Path("one.nii"),)), Case("liver", "b", (Path("two.nii"),))]
    with pytest.raises(DataError, match=r"'liver' is used twice: one\.nii, two\.nii"):
        checked_cases(cases, "list.csv")


@pytest.mark.parametrize("identity", ["", "a/b", "..", ".hidden", "a\\b", "x" * 101, "a b", "a\nb", "-a"])
def test_ids_that_cannot_name_a_folder_are_refused(identity):
    with pytest.raises(DataError, match="cannot name a folder"):
        checked_cases([Case(identity, "a")], "list.csv")


def test_no_case_at_all_is_an_error():
    with pytest.raises(DataError, match=r"list\.csv: no case found"):
        checked_cases([], "list.csv")


def test_a_fingerprint_follows_content_and_order_of_files_and_not_their_names(tmp_path, lits_folder):
    dataset = open_dataset(LitsSettings(root=lits_folder(0, 1), target=(2,)))
    zero, one = dataset.cases()
    moved = tmp_path / "moved.nii.gz"
    moved.write_bytes(zero.files[0].read_bytes())
    assert dataset.fingerprint(Case("x", "x", (moved, zero.files[1]))) == dataset.fingerprint(zero)
    assert dataset.fingerprint(one) != dataset.fingerprint(zero)
    assert dataset.fingerprint(Case("x", "x", zero.files[::-1])) != dataset.fingerprint(zero)


def test_a_fingerprint_is_the_same_from_memory_and_from_the_files(tmp_path, lits_folder):
    dataset = open_dataset(LitsSettings(root=lits_folder(0), target=(2,)))
    memory, case = FingerprintMemory(tmp_path / "memory.json"), dataset.cases()[0]
    assert dataset.fingerprint(case, memory) == dataset.fingerprint(case, memory) == dataset.fingerprint(case)


def test_a_file_that_vanished_is_named(tmp_path, lits_folder):
    dataset = open_dataset(LitsSettings(root=lits_folder(0), target=(2,)))
    case = dataset.cases()[0]
    case.files[1].unlink()
    for memory in (None, FingerprintMemory(tmp_path / "memory.json")):
        with pytest.raises(DataError, match=r"segmentation-0\.nii\.gz.*cannot be read"):
            dataset.fingerprint(case, memory)
