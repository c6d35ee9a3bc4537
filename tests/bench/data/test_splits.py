from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.dataset import natural_key
from bench.data.settings import SplitSettings
from bench.data.splits import Split, make_splits
from bench.data.volume import Case
from bench.errors import DataError


def cohort(patients: int, each: int = 1) -> list[Case]:
    return [Case(f"p{p}-{c}", f"p{p}") for p in range(patients) for c in range(each)]


def patients_of(ids, cases) -> set[str]:
    return {case.patient for case in cases if case.id in set(ids)}


@given(
    st.lists(st.integers(1, 4), min_size=5, max_size=40),
    st.integers(-(2**70), 2**70),
    st.randoms(use_true_random=False),
)
def test_no_patient_is_in_two_parts_and_the_order_of_files_does_not_matter(sizes, seed, random):
    cases = [Case(f"p{p}-{c}", f"p{p}") for p, size in enumerate(sizes) for c in range(size)]
    (split,) = make_splits(cases, SplitSettings(seed=seed))
    parts = [patients_of(ids, cases) for ids in (split.train, split.validation, split.test)]
    assert sum(map(len, parts)) == len(sizes) == len(set.union(*parts))
    assert all(parts)
    assert all(list(ids) == sorted(ids, key=natural_key) for ids in (split.train, split.validation, split.test))
    shuffled = cases.copy()
    random.shuffle(shuffled)
    assert make_splits(shuffled, SplitSettings(seed=seed)) == (split,)


def test_a_published_split_never_changes():
    (split,) = make_splits(cohort(10), SplitSettings(seed=0))
    assert split.digest == "8755cc9b4611e173894fe603869c479e5002b4bf20ad61750a716cff5adf80b2"


def test_another_seed_is_another_split():
    digests = {make_splits(cohort(30), SplitSettings(seed=seed))[0].digest for seed in range(5)}
    assert len(digests) == 5


def test_counts_and_fractions_are_of_patients():
    cases = cohort(20, each=3)
    (split,) = make_splits(cases, SplitSettings(train=10, validation=0.2, test=5))
    assert [len(ids) for ids in (split.train, split.validation, split.test)] == [30, 12, 15]


@pytest.mark.parametrize("patients", range(3, 30))
def test_fractions_that_add_up_to_one_leave_nobody_out(patients):
    (split,) = make_splits(cohort(patients), SplitSettings(train=0.6, validation=0.2, test=0.2))
    assert len(split.train) + len(split.validation) + len(split.test) == patients
    assert split.validation
    assert split.test


def test_another_share_of_validation_leaves_the_test_cases_alone():
    small, large = (make_splits(cohort(40), SplitSettings(validation=n, test=10))[0] for n in (5, 15))
    assert small.test == large.test
    assert set(small.validation) < set(large.validation)


def test_a_patient_who_joins_later_moves_at_most_one_other_between_parts():
    before, after = (make_splits(cohort(n), SplitSettings(validation=10, test=10))[0] for n in (50, 51))
    assert len(set(before.test) - set(after.test)) <= 1
    assert len(set(before.validation) - set(after.validation)) <= 2


def test_the_two_set_protocol_of_lits_reports_the_validation_cases_and_says_so():
    (split,) = make_splits(cohort(131), SplitSettings(train=118, validation=13, test_is_validation=True))
    assert split.validation == split.test
    assert (len(split.train), len(split.test)) == (118, 13)
    assert split.selected_on_reported


@pytest.mark.parametrize("patients", [5, 7, 23])
def test_every_case_is_tested_in_exactly_one_fold(patients):
    cases = cohort(patients, each=2)
    splits = make_splits(cases, SplitSettings(folds=5))
    tested = [identity for split in splits for identity in split.test]
    assert sorted(tested) == sorted(case.id for case in cases)
    for split in splits:
        parts = [set(ids) for ids in (split.train, split.validation, split.test)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == len(cases)
        assert not split.selected_on_reported


def test_folds_of_a_two_set_protocol_have_no_third_part():
    for split in make_splits(cohort(10), SplitSettings(folds=5, test_is_validation=True)):
        assert split.test == split.validation
        assert len(split.train) == 8
        assert split.selected_on_reported


@pytest.mark.parametrize(
    ("patients", "settings"),
    [
        (2, SplitSettings()),
        (12, SplitSettings(train=10, validation=2, test=1)),
        (4, SplitSettings(folds=5)),
        (2, SplitSettings(folds=2)),
        (3, SplitSettings(validation=3, test_is_validation=True)),
    ],
)
def test_too_few_patients_are_an_error(patients, settings):
    with pytest.raises(DataError, match=f"{patients} patients|of {patients - 1} to train"):
        make_splits(cohort(patients), settings)


@pytest.fixture
def from_file(tmp_path):
    def make(content, cases=None, **settings) -> tuple[Split, ...]:
        path = tmp_path / "split.json"
        path.write_text(json.dumps(content))
        return make_splits(cases or cohort(6), SplitSettings(file=path, **settings))

    return make


PARTS = {"train": ["p0-0", "p1-0"], "validation": ["p2-0"], "test": ["p3-0", "p4-0"]}


def test_a_file_is_taken_as_it_is_and_may_leave_cases_out(from_file):
    assert from_file(PARTS) == (Split(("p0-0", "p1-0"), ("p2-0",), ("p3-0", "p4-0"), False),)


def test_nnunets_held_out_cases_are_the_test_part_and_validation_is_drawn_from_training(from_file):
    folds = [{"train": [f"p{p}-0" for p in range(6) if p // 2 != f], "val": [f"p{2 * f}-0", f"p{2 * f + 1}-0"]}
             for f in range(3)]  # fmt: skip
    splits = from_file(folds, validation=1)
    assert [split.test for split in splits] == [("p0-0", "p1-0"), ("p2-0", "p3-0"), ("p4-0", "p5-0")]
    assert [(len(split.train), len(split.validation)) for split in splits] == [(3, 1)] * 3
    two_sets = from_file(folds, test_is_validation=True)
    assert all(split.validation == split.test and len(split.train) == 4 for split in two_sets)


def test_validation_is_drawn_by_patient_where_a_file_names_none(from_file):
    cases = cohort(5, each=2)
    content = {"train": [case.id for case in cases[:8]], "test": [case.id for case in cases[8:]]}
    (split,) = from_file(content, cases, validation=1)
    assert len(split.validation) == 2
    assert len(patients_of(split.validation, cases)) == 1


def test_a_file_without_test_part_is_refused_unless_the_protocol_has_two_sets(from_file):
    content = {"train": ["p0-0"], "val": ["p1-0"]}
    with pytest.raises(DataError, match="test_is_validation"):
        from_file(content)
    (split,) = from_file(content, test_is_validation=True)
    assert split.test == split.validation == ("p1-0",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": ["p3-0", "p44-0"]}, r"test names case 'p44-0', which the dataset lacks. Did you mean 'p4-0'\?"),
        ({"train": ["p0-0", "p0-0"]}, "train names more than once: p0-0"),
        ({"test": ["p0-0"]}, "patient p0 is in two parts: case p0-0 in train, case p0-0 in test"),
        ({"validation": ["p3-0"]}, "patient p3 is in two parts: case p3-0 in validation"),
        ({"train": []}, "no case is left to train on"),
    ],
)
def test_each_mistake_in_a_file_is_named(from_file, change, message):
    with pytest.raises(DataError, match=message):
        from_file({**PARTS, **change})


def test_two_cases_of_one_patient_in_two_parts_are_a_leak(from_file):
    content = {"train": ["p0-0"], "validation": ["p1-0"], "test": ["p0-1"]}
    with pytest.raises(DataError, match="patient p0 is in two parts: case p0-0 in train, case p0-1 in test"):
        from_file(content, cohort(3, each=2))


def test_two_different_held_out_parts_contradict_a_two_set_protocol(from_file):
    with pytest.raises(DataError, match="validation and test differ"):
        from_file(PARTS, test_is_validation=True)
