"""The phantom as a dataset."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pydantic
import pytest

from bench.data.fingerprints import FingerprintMemory
from bench.data.formats import phantom
from bench.data.formats.phantom import PhantomDataset
from bench.data.phantom import generate
from bench.data.phantom.settings import PhantomSettings
from bench.data.volume import Case
from bench.errors import DataError

SMALL = {"cases": 12, "seed": 1000, "size": (16, 24, 20), "spacing_mm": (4.0, 2.0, 2.0)}


def dataset(**changes) -> PhantomDataset:
    return PhantomDataset(PhantomSettings(**{**SMALL, **changes}))


def fingerprint(made: PhantomDataset, index: int, tmp_path) -> str:
    return made.fingerprint(made.cases()[index], FingerprintMemory(tmp_path / "memory.json"))


def test_cases_are_numbered_and_each_is_a_patient():
    cases = dataset().cases()
    assert [case.id for case in cases] == [f"phantom-{index}" for index in range(12)]
    assert len({case.patient for case in cases}) == 12
    assert dataset().absence() is None


def test_reading_gives_the_generated_volume_and_its_distractors():
    made = dataset()
    case = made.cases()[10]
    expected = generate(10, made.settings)
    assert np.array_equal(made.read(case).image, expected.image)
    assert np.array_equal(made.read(case).labels, expected.labels)
    assert np.array_equal(made.distractors(case), expected.distractors)


def test_tumour_is_the_target_and_the_liver_the_region_of_interest_unless_said_otherwise():
    assert dataset().settings.class_labels == {"target": (2,)}
    assert dataset().settings.roi == (1, 2)
    assert dataset(target={"organ": (1, 2)}, roi=None).settings.roi is None


@pytest.mark.parametrize("change", [{"seed": 1001}, {"size": (16, 24, 24)}, {"spacing_mm": (4.0, 2.0, 2.5)}])
def test_every_setting_that_changes_voxels_changes_the_fingerprint(change, tmp_path):
    assert fingerprint(dataset(**change), 3, tmp_path) != fingerprint(dataset(), 3, tmp_path)


def test_index_and_generator_version_change_the_fingerprint(tmp_path, monkeypatch):
    before = fingerprint(dataset(), 3, tmp_path)
    assert fingerprint(dataset(), 4, tmp_path) != before
    monkeypatch.setattr(phantom, "GENERATOR_VERSION", phantom.GENERATOR_VERSION + 1)
    assert fingerprint(dataset(), 3, tmp_path) != before


def test_number_of_cases_target_and_spelling_leave_the_fingerprint(tmp_path):
    other = dataset(cases=40, target=(1, 2), spacing_mm=(4, 2, 2))
    assert fingerprint(other, 3, tmp_path) == fingerprint(dataset(), 3, tmp_path)
    assert other.fingerprint(other.cases()[3]) == fingerprint(other, 3, tmp_path)


@pytest.mark.parametrize("name", ["phantom-12", "phantom-x", "volume-1", "phantom--1"])
def test_a_case_of_another_dataset_is_refused(name):
    with pytest.raises(DataError, match=r"expected phantom-0 … phantom-11"):
        dataset().read(Case(name, name))


@pytest.mark.parametrize("wrong", [{"cases": 0}, {"seed": -1}, {"size": (8, 24, 20)}, {"spacing_mm": (4.0, 0.0, 2.0)}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(pydantic.ValidationError):
        dataset(**wrong)


def test_checking_a_suite_needs_neither_torch_nor_scipy_nor_simpleitk():
    program = "import sys, bench.data.formats.phantom; print({'torch', 'scipy', 'SimpleITK'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
