from __future__ import annotations

import pytest

from bench.suite.source import read_source


def test_the_byte_that_is_not_utf8_is_named_with_its_place(write, complaints):
    path = write("title: é\nlabel: caf".encode() + b"\xe9\n")
    assert complaints(read_source, path) == [
        "suite.yaml:2:11: found the byte 0xE9 at byte offset 20, which is not UTF-8; save the file as UTF-8"
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf16_is_recognised(write, complaints, encoding):
    path = write("\ufefftitle: a\n".encode(encoding))
    assert complaints(read_source, path) == [
        "suite.yaml:1:1: found UTF-16 text; expected UTF-8: save the file with that encoding"
    ]


def test_a_byte_order_mark_is_harmless(write):
    assert read_source(write("\ufefftitle: a\n")).text == "title: a\n"


def test_a_missing_file_names_the_suites_beside_it(write, complaints, tmp_path):
    write("", "lits.yaml")
    write("", "phantom.yml")
    write("", "notes.txt")
    assert complaints(read_source, tmp_path / "lit.yaml") == [
        f"{tmp_path}/lit.yaml: found no such file; did you mean 'lits.yaml'? "
        f"suites in {tmp_path}: lits.yaml, phantom.yml"
    ]


def test_a_missing_folder_is_said_to_be_missing(complaints, tmp_path):
    assert complaints(read_source, tmp_path / "no/suite.yaml") == [
        f"{tmp_path}/no/suite.yaml: found no such file; the folder {tmp_path}/no does not exist either; "
        "give the path of a suite"
    ]


def test_a_folder_is_no_suite(complaints, tmp_path):
    assert complaints(read_source, tmp_path) == [
        f"{tmp_path}: found a file that cannot be read (Is a directory); give a YAML file"
    ]
