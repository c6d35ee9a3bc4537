from __future__ import annotations

import pytest

from bench.data.split_files import read_split_file
from bench.errors import DataError


@pytest.fixture
def read(tmp_path):
    def make(text, name="split.yaml"):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_split_file(tmp_path / name)

    return make


def test_yaml_ids_stay_the_text_that_was_written(read):
    text = "train: [010, 1e3, no, 12:30]\nvalidation: [2]\ntest:\n- null\n"
    assert read(text) == [{"train": ["010", "1e3", "no", "12:30"], "validation": ["2"], "test": ["null"]}]


def test_val_is_validation_in_a_mapping_and_test_in_nnunets_list(read):
    assert read('{"train": ["a"], "val": ["b"]}', "s.json") == [{"train": ["a"], "validation": ["b"]}]
    assert read('[{"train": ["a"], "val": ["b"]}]', "s.json") == [{"train": ["a"], "test": ["b"]}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found NoneType, expected a mapping"),
        ("{}", "found nothing; expected train and"),
        ("- a\n- b\n", "fold 0: found str"),
        ("[]", "an empty list"),
        ("train: [a]\n", "found train; expected train and validation or val or test"),
        ("test: [a]\nvalidation: [b]\n", "found test, validation; expected train and"),
        ("train: [a]\ntset: [b]\n", "unknown part 'tset'; allowed: train, validation, val, test"),
        ("train: a\ntest: [b]\n", "train must be a list"),
        ("train: [[a]]\ntest: [b]\n", "train must be a list"),
        ("train: [a]\nval: [b]\nvalidation: [c]\n", "name it once"),
        ("train: [a\n", "not valid JSON or YAML"),
        (b"\xff\xfe\x00", "not valid JSON or YAML"),
    ],
)
def test_a_file_of_another_form_is_refused(read, text, message):
    with pytest.raises(DataError, match=message):
        read(text)


def test_json_numbers_are_no_ids_and_a_missing_file_is_named(read, tmp_path):
    with pytest.raises(DataError, match="in quotes"):
        read('{"train": [1], "test": [2]}', "s.json")
    with pytest.raises(DataError, match=r"nothing\.json cannot be read"):
        read_split_file(tmp_path / "nothing.json")
