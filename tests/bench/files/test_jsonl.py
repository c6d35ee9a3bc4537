"""JSON lines: whole records only, whoever died while writing."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.files.jsonl import append_jsonl, read_jsonl

APPEND = """
import sys
from pathlib import Path
from bench.files.jsonl import append_jsonl
for index in range(300):
    append_jsonl(Path(sys.argv[1]), {"writer": sys.argv[2], "index": index, "filling": "x" * 500})
"""

RUN_OUT_OF_SPACE = """
import resource, sys
from pathlib import Path
from bench.errors import StorageError
from bench.files.jsonl import append_jsonl
resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))
append_jsonl(Path(sys.argv[1]), {"a": "x" * 40})
try:
    append_jsonl(Path(sys.argv[1]), {"a": "x" * 40})
except StorageError as error:
    print(error)
"""


def test_records_come_back_in_order(tmp_path):
    records = [{"step": 1, "dice": 0.5}, {"step": 2, "note": "a\nb é"}]
    for record in records:
        append_jsonl(tmp_path / "log", record)
    assert read_jsonl(tmp_path / "log") == records
    assert read_jsonl(tmp_path / "absent") == []


RECORD = {"phase": "größe\n", "step": 12, "facts": {"a": [1, {}]}}


@pytest.mark.parametrize("length", range(1, len(json.dumps(RECORD, ensure_ascii=False).encode()) + 1))
def test_a_line_cut_anywhere_is_dropped_and_the_next_one_is_not_lost(tmp_path, length):
    path = tmp_path / "log"
    append_jsonl(path, {"first": 1})
    line = json.dumps(RECORD, sort_keys=True, ensure_ascii=False).encode()
    with path.open("ab") as stream:
        stream.write(line[:length])
    with pytest.warns(UserWarning, match=r"log: dropped 1 incomplete line"):
        assert read_jsonl(path) == [{"first": 1}]
    append_jsonl(path, {"second": 2})
    if length < len(line):
        with pytest.warns(UserWarning, match=r"log: dropped 1 incomplete line"):
            assert read_jsonl(path) == [{"first": 1}, {"second": 2}]
    else:
        assert read_jsonl(path) == [{"first": 1}, RECORD, {"second": 2}]


@given(st.lists(st.dictionaries(st.text(), st.none() | st.integers() | st.text(), max_size=3), max_size=5))
def test_any_text_survives(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("jsonl") / "log"
    for record in records:
        append_jsonl(path, record)
    assert read_jsonl(path) == records


def test_lines_of_several_processes_never_mix(tmp_path):
    path = tmp_path / "log"
    writers = [subprocess.Popen([sys.executable, "-c", APPEND, path, name]) for name in ("one", "two", "three")]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    records = read_jsonl(path)
    for name in ("one", "two", "three"):
        assert [record["index"] for record in records if record["writer"] == name] == list(range(300))


def test_a_record_that_did_not_fit_on_the_disk_is_an_error(tmp_path):
    path = tmp_path / "log"
    command = [sys.executable, "-c", RUN_OUT_OF_SPACE, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.match(
        rf"{path} cannot be written \(No space left on device; 50 bytes needed, [\d,]+ bytes free", done.stdout
    )
    assert str(path) in done.stdout
    with pytest.warns(UserWarning, match="dropped 1"):
        assert read_jsonl(path) == [{"a": "x" * 40}]
