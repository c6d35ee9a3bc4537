from __future__ import annotations

import json
import math
import sys

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.suite import tree
from bench.suite.located import LocatedDict, LocatedStr, LocatedTuple, plain
from bench.suite.problems import SuiteProblems
from bench.suite.source import Source
from bench.suite.tree import parse, read

# Characters that may stand unescaped in double quotes: no controls, line separators, byte-order mark, non-characters.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\ufeff\ufffe\uffff"))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def source(text: str) -> Source:
    return Source(text, "suite.yaml", None)


def block(value: object, indent: str = "") -> str:
    """The value as block-style YAML."""
    if isinstance(value, dict) and value:
        return "".join(
            f"\n{indent}{json.dumps(k, ensure_ascii=False)}: {block(v, indent + '  ')}" for k, v in value.items()
        )
    if isinstance(value, list) and value:
        return "".join(f"\n{indent}- {block(item, indent + '  ')}" for item in value)
    return json.dumps(value, ensure_ascii=False)


@settings(deadline=None)
@given(VALUES)
def test_any_json_value_survives_in_flow_style(value):
    assert plain(parse(source(json.dumps(value, ensure_ascii=False)))) == value


@settings(deadline=None)
@given(VALUES)
def test_any_json_value_survives_in_block_style(value):
    assert plain(parse(source(block(value)))) == value


@settings(deadline=None)
@given(VALUES)
def test_whole_numbers_floats_and_truth_values_keep_their_types(value):
    text = json.dumps(value, ensure_ascii=False)
    assert json.dumps(plain(parse(source(text))), ensure_ascii=False) == text


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_at_all_is_a_value_or_a_located_complaint(text):
    message = "suite.yaml:"
    try:
        parse(source(text))
    except SuiteProblems as error:
        message = str(error)
    assert message.startswith("suite.yaml:")


@settings(deadline=None)
@given(st.text("abn019:._-+eox<*&!|>[]{},# '\"\n\t%@`", max_size=40))
def test_any_punctuation_is_a_value_or_a_located_complaint(text):
    message = "suite.yaml:"
    try:
        parse(source(text))
    except SuiteProblems as error:
        message = str(error)
    assert message.startswith("suite.yaml:")


def test_values_remember_their_places():
    found = parse(source("a: 1\nb:\n  - x\n  - {c: 'é', d: }\n"))
    assert isinstance(found, LocatedDict)
    assert isinstance(found["b"], LocatedTuple)
    assert isinstance(found["b"][0], LocatedStr)
    assert str(found.mark) == "suite.yaml:1:1"
    assert str(found.key_marks["b"]) == "suite.yaml:2:1"
    assert str(found.value_marks["b"]) == "suite.yaml:3:3"
    assert str(found["b"][0].mark) == "suite.yaml:3:5"
    assert str(found["b"][1].key_marks["d"]) == "suite.yaml:4:14"
    assert found["b"][1]["d"] is None


def test_quoted_and_block_text_is_always_text():
    found = plain(parse(source("""[ "1", 'no', "010", '12:30', "~" ]""")))
    assert found == ["1", "no", "010", "12:30", "~"]
    assert plain(parse(source("a: |\n  no\nb: >\n  1\n"))) == {"a": "no\n", "b": "1\n"}


def test_an_alias_stands_for_a_whole_value():
    found = plain(parse(source("a: &x {k: [1, 2]}\nb: *x\nc: &n 3\nd: *n\n")))
    assert found == {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}, "c": 3, "d": 3}


def test_a_list_is_hashable_like_the_settings_it_becomes():
    assert hash(parse(source("[1, [2, 3]]"))) == hash((1, (2, 3)))


def test_text_remembers_the_folder_of_its_file(write, tmp_path):
    write("{root: data}", "inner/suite.yaml")
    assert read(tmp_path / "inner/suite.yaml")["root"].folder == tmp_path / "inner"


COMPLAINTS = {
    "a: 1\nb: 2\na: 3\n": "3:1: found the key 'a' twice, here and at suite.yaml:1:1; keep one of them",
    "a:\n\tb: 1\n": "2:1: found a tab as indentation; YAML wants spaces: replace it by spaces",
    "a:\n  b: 1\n\tc: 2\n": "3:1: found a tab as indentation; YAML wants spaces: replace it by spaces",
    "": "1:1: found nothing but blanks and comments; expected keys such as title:, dataset: and methods:",
    "# a\n\n": "1:1: found nothing but blanks and comments; expected keys such as title:, dataset: and methods:",
    "a: 1\n---\nb: 2\n": "2:1: found a second document; expected one suite per file: remove the line '---'",
    "a: !!python/object/apply:os.system [ls]\n": (
        "1:4: found the tag tag:yaml.org,2002:python/object/apply:os.system; the suite language has no tags: "
        "remove it, and quote what must be text"
    ),
    "a: !x 1\n": "1:4: found the tag !x; the suite language has no tags: remove it, and quote what must be text",
    "a: !y!x 1\n": "1:4: found a tag; the suite language has none: write the value without it",
    "a: *b\n": "1:4: found *b, but no &b before it; anchors: nothing",
    "a: &bb 1\nb: *b\n": "2:4: found *b, but no &b before it; did you mean 'bb'? anchors: bb",
    "a: &a [1, *a]\n": "1:11: found *a inside the value that &a names; a value cannot contain itself",
    "a: &a 1\nb: &a 2\n": "2:4: found a second &a; give every anchor its own name",
    "a: Losses: a study\n": "1:10: found a second ': ' or a deeper indentation here; quote text that contains ': '",
    "a: 1\n  b: 2\n": "2:4: found a second ': ' or a deeper indentation here; quote text that contains ': '",
    "a: 1\nb\n": "2:1: expected 'key: value' here; add the colon, or indent the line as part of the value",
    "a: [1, 2\nb: 3\n": (
        "1:4: found a '[' whose items do not end (the parser stopped at line 2, column 2); "
        "close the bracket, or put a ',' between the items"
    ),
    "a: {b: 1\n": (
        "1:4: found a '{' whose items do not end (the parser stopped at line 2, column 1); "
        "close the bracket, or put a ',' between the items"
    ),
    "a: 'b\n": "2:1: found a quote that is never closed; add the closing quote",
    'a: "C:\\data"\n': ("1:8: found an unknown escape in double quotes; use single quotes or write \\\\ for \\"),
    "a: @home\n": "1:4: found '@', which cannot start a value; quote the text",
    "- a\nb: 1\n": "2:1: found a line that does not fit the lines above; indent keys of one mapping alike",
    "a: 1\n<<: {b: 2}\n": (
        "2:1: found the merge key <<; it is not part of the suite language: share settings through `extends:`, "
        "a profile or the `base:` of a matrix, or name a whole value with *alias"
    ),
    "true: 1\n": "1:1: found true as a key; expected a name (quote it if it is meant as text)",
    "[a]: 1\n": "1:1: found a list of 1 item as a key; expected a name (quote it if it is meant as text)",
    "~: 1\n": "1:1: found nothing (null) as a key; expected a name (quote it if it is meant as text)",
    "a: \x07\n": "1:4: found the character U+0007, which YAML does not allow; remove it",
}


@pytest.mark.parametrize(("text", "complaint"), COMPLAINTS.items())
def test_what_is_not_plain_yaml_is_explained_at_its_place(text, complaint, complaints):
    assert complaints(parse, source(text)) == [f"suite.yaml:{complaint}"]


@pytest.mark.parametrize("text", COMPLAINTS)
def test_complaints_are_the_same_without_the_compiled_parser(text, complaints, monkeypatch):
    fast = complaints(parse, source(text))
    monkeypatch.setattr(tree, "_FAST", yaml.SafeLoader)
    assert complaints(parse, source(text)) == fast


def test_all_ambiguous_words_and_duplicates_are_reported_together(complaints):
    found = complaints(parse, source("a: no\nb: 010\nb: 12:30\n"))
    assert [line.partition(": ")[0] for line in found] == [
        "suite.yaml:1:4",
        "suite.yaml:2:4",
        "suite.yaml:3:1",
        "suite.yaml:3:4",
    ]


def test_a_list_is_no_suite(write, complaints):
    assert complaints(read, write("- a\n")) == [
        "suite.yaml:1:1: found a list of 1 item; expected a mapping of keys such as title:, dataset: and methods:"
    ]


def test_text_is_no_suite(write, complaints):
    assert complaints(read, write("# x\nhello\n")) == [
        "suite.yaml:2:1: found the text 'hello'; expected a mapping of keys such as title:, dataset: and methods:"
    ]


def test_a_billion_laughs_are_refused_where_they_exceed_the_limit(complaints):
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 60)]
    found = complaints(parse, source("\n".join(lines)))
    assert found[0].startswith("suite.yaml:6:10: ")
    assert "found more than 200000 values once every alias is written out" in found[0]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_nesting_deeper_than_the_limit_is_refused_without_recursion(opening, complaints):
    depth = sys.getrecursionlimit() * 10
    assert "nested more than 60 deep" in complaints(parse, source(opening * depth))[0]


def test_a_mapping_of_very_many_keys_is_read(complaints):
    text = "\n".join(f"k{i}: {i}" for i in range(20_000))
    assert len(parse(source(text))) == 20_000
    assert complaints(parse, source(f"{text}\nk7: 1")) == [
        "suite.yaml:20001:1: found the key 'k7' twice, here and at suite.yaml:8:1; keep one of them"
    ]


def test_nan_is_a_number():
    assert math.isnan(parse(source(".nan")))
