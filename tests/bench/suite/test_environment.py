from __future__ import annotations

from pathlib import Path

import pytest

from bench.suite.environment import UnsetVariablesError, expand
from bench.suite.located import plain
from bench.suite.source import Source
from bench.suite.tree import parse


def tree(text: str):
    return parse(Source(text, "suite.yaml", Path("/suites")))


def test_variables_are_replaced_in_nested_text():
    found = expand(tree("{a: ['${X}/b', 3], c: {d: 'x${X}${Y}'}}"), {"X": "1", "Y": "2"})
    assert plain(found) == {"a": ["1/b", 3], "c": {"d": "x12"}}


def test_the_result_is_text_even_if_it_looks_like_a_number():
    assert plain(expand(tree("a: ${X}"), {"X": "50"})) == {"a": "50"}


def test_two_dollars_stand_for_one_and_a_lone_one_for_itself():
    assert plain(expand(tree("a: '$${X} $L_{Dice}$ $X 5$'"), {"X": "1"})) == {"a": "${X} $L_{Dice}$ $X 5$"}


def test_what_a_variable_holds_is_not_expanded_again():
    assert plain(expand(tree("a: ${X}"), {"X": "${Y}", "Y": "1"})) == {"a": "${Y}"}


def test_places_survive_and_a_path_from_the_shell_starts_at_the_working_directory():
    found = expand(tree("a: ${X}/b\nc: d/${X}\n"), {"X": "1"})
    assert str(found["a"].mark) == "suite.yaml:1:4"
    assert found["a"].folder is None
    assert found["c"].folder == Path("/suites")


def test_all_variables_that_are_not_set_are_named_with_their_places():
    with pytest.raises(UnsetVariablesError) as caught:
        expand(tree("a: ${X}\nb: ${Y}/${X}\n"), {"Y": ""})
    assert caught.value.names == ("X", "Y")
    assert caught.value.reason == "X and Y are not set"
    assert [str(problem.mark) for problem in caught.value.problems] == [
        "suite.yaml:1:4",
        "suite.yaml:2:4",
        "suite.yaml:2:4",
    ]


def test_unset_variables_can_be_left_as_written():
    assert plain(expand(tree("a: ${X}/${Y}"), {"Y": "1"}, keep_unset=True)) == {"a": "${X}/1"}


@pytest.mark.parametrize("text", ["${}", "${X", "${X:-default}", "${1X}"])
def test_a_reference_without_a_proper_name_is_refused(text, complaints):
    found = complaints(expand, tree(f"a: '{text}'"), {"X": "1"})
    assert len(found) == 1
    assert found[0].startswith(f"suite.yaml:1:4: found '{text}'; expected ${{NAME}}")
