from __future__ import annotations

import pytest

from bench.suite.loader import load
from bench.suite.located import plain
from bench.suite.profiles import choose, profiles_of, with_profile
from bench.suite.source import Source
from bench.suite.tree import parse


def tree(text: str):
    return parse(Source(text, "suite.yaml", None))


SUITE = "a: {x: 1, y: 2}\nprofiles:\n  lits: {a: {x: 3}}\n  phantom: {a: {y: null}}\n"


def reasons(**missing: str):
    return missing.get


def test_a_profile_changes_the_suite():
    assert plain(with_profile(tree(SUITE), "lits")) == {"a": {"x": 3, "y": 2}}
    assert plain(with_profile(tree(SUITE), "phantom")) == {"a": {"x": 1}}
    assert plain(with_profile(tree(SUITE), None)) == {"a": {"x": 1, "y": 2}}


def test_the_first_profile_that_can_run_is_chosen_and_the_sentence_says_why():
    assert choose(tree(SUITE), reasons()).why == "profile 'lits': the first of the suite, and its data is there"
    choice = choose(tree(SUITE), reasons(lits="LITS_ROOT is not set"))
    assert choice.name == "phantom"
    assert choice.why == "profile 'phantom': 'lits' was skipped because LITS_ROOT is not set"


def test_a_profile_asked_for_is_taken_although_another_comes_first():
    choice = choose(tree(SUITE), reasons(), "phantom")
    assert (choice.name, choice.why) == ("phantom", "profile 'phantom': chosen by --profile")


def test_a_profile_asked_for_is_never_replaced(complaints):
    assert complaints(choose, tree(SUITE), reasons(lits="LITS_ROOT is not set"), "lits") == [
        "suite.yaml:3:3: profile 'lits' was asked for but cannot run: LITS_ROOT is not set; "
        "provide it or choose another profile"
    ]


def test_an_unknown_profile_gets_the_nearest_name(complaints):
    assert complaints(choose, tree(SUITE), reasons(), "fantom") == [
        "suite.yaml:2:1: found no profile 'fantom', which --profile asks for; did you mean 'phantom'? "
        "profiles: lits, phantom"
    ]


def test_asking_for_a_profile_of_a_suite_that_has_none_is_an_error(complaints):
    assert complaints(choose, tree("a: 1"), reasons(), "lits") == [
        "suite.yaml:1:1: found no profile 'lits', which --profile asks for; profiles: nothing"
    ]


def test_if_no_profile_can_run_all_reasons_are_given(complaints):
    missing = reasons(lits="LITS_ROOT is not set", phantom="no disk")
    assert complaints(choose, tree(SUITE), missing) == [
        "suite.yaml:2:1: found no profile whose data is there (profile 'lits': LITS_ROOT is not set; "
        "profile 'phantom': no disk); provide the data of one"
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[a]", "1:11: found a list of 1 item under 'profiles'; expected a mapping of profile names to settings"),
        ("", "1:10: found nothing (null) under 'profiles'; expected a mapping of profile names to settings"),
        (
            "{p: }",
            "1:15: found nothing (null) as the profile 'p'; expected a mapping of settings ({} for none)",
        ),
        (
            "{p: {extends: x.yaml}}",
            "1:16: found 'extends' inside the profile 'p'; expected it at the top of the file: move it there",
        ),
    ],
)
def test_profiles_written_wrongly_are_explained_at_their_place(text, complaint, complaints):
    assert complaints(profiles_of, tree(f"profiles: {text}")) == [f"suite.yaml:{complaint}"]


def test_an_unset_variable_outside_the_profiles_skips_them_all(write, model, good, complaints):
    text = good.replace("A comparison", "${TITLE}") + "profiles: {one: {}, two: {}}\n"
    assert complaints(load, write(text), model, environ={}) == [
        "suite.yaml:11:1: found no profile whose data is there (profile 'one': TITLE is not set; "
        "profile 'two': TITLE is not set); provide the data of one"
    ]
