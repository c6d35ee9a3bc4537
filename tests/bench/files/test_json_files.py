"""JSON of strangers exhausts neither stack nor memory."""

from __future__ import annotations

import os

import pytest

from bench.files.json_files import MAX_BYTES, parse_json, read_json


def test_ordinary_json_is_read(tmp_path):
    (tmp_path / "a").write_text('{"a": [1, "ä"]}', encoding="utf-8")
    assert read_json(tmp_path / "a") == {"a": [1, "ä"]}


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000])
def test_nesting_without_end_is_a_value_error(text):
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json(text)


def test_a_giant_is_refused_by_its_size_alone(tmp_path):
    (tmp_path / "a").touch()
    os.truncate(tmp_path / "a", MAX_BYTES + 1)
    with pytest.raises(ValueError, match="268,435,457 bytes, more than"):
        read_json(tmp_path / "a")
