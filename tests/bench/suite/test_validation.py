from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Discriminator, Field, PlainValidator, Tag

from bench.settings import Settings
from bench.suite.loader import load
from bench.suite.located import plain
from bench.suite.problems import SuiteProblems
from bench.suite.source import Source
from bench.suite.tree import parse
from bench.suite.validation import validate

# what is replaced in the good suite, by what, and the complaint
MISTAKES: dict[str, tuple[str, str, str]] = {
    "unknown key at the top": (
        "training:",
        "trainng:",
        "3:1: found the unknown key 'trainng'; did you mean 'training'? "
        "allowed here: title, dataset, training, seeds, baseline, methods, extends, profiles",
    ),
    "unknown key of the language": (
        "title: A comparison",
        "profile: {}",
        "1:1: found the unknown key 'profile'; did you mean 'profiles'? "
        "allowed here: title, dataset, training, seeds, baseline, methods, extends, profiles",
    ),
    "unknown key in a method": (
        "- id: a",
        "- id: a\n    lable: x",
        "8:5: found the unknown key 'lable'; did you mean 'label'? allowed here: id, label, loss, regressor, matrix",
    ),
    "unknown key of one format": (
        "cases: 3",
        "cases: 3, root: x",
        "2:38: found the unknown key 'root'; allowed here: format, cases",
    ),
    "unknown format": (
        "format: phantom",
        "format: fantom",
        "2:19: found the text 'fantom' under 'format'; did you mean 'phantom'? allowed: phantom, lits",
    ),
    "no format": (
        "format: phantom, ",
        "",
        "2:10: the key 'format' is missing in 'dataset'; add 'format: …' with one of phantom, lits",
    ),
    "missing key": (
        "  steps: 10\n",
        "",
        "4:3: the key 'steps' is missing in 'training'; add 'steps: …'",
    ),
    "text for a number": (
        "steps: 10",
        "steps: '10'",
        "4:10: found the text '10' under 'steps'; expected a whole number: write it without quotes",
    ),
    "fraction for a whole number": (
        "steps: 10",
        "steps: 1.5",
        "4:10: found the number 1.5 under 'steps'; expected a whole number",
    ),
    "whole number written as a float": (
        "steps: 10",
        "steps: 1e3",
        "4:10: found the number 1000.0 under 'steps'; expected a whole number: write 1000",
    ),
    "out of range": (
        "steps: 10",
        "steps: 0",
        "4:10: found the number 0 under 'steps'; expected more than 0",
    ),
    "number for a truth value": (
        "steps: 10",
        "steps: 10\n  compile: 1",
        "5:12: found the number 1 under 'compile'; expected true or false",
    ),
    "number for text": (
        "title: A comparison",
        "title: 2021",
        "1:8: found the number 2021 under 'title'; expected text: write \"2021\"",
    ),
    "number as a key": (
        "steps: 10",
        "steps: 10\n  notes: {1: x}",
        '5:11: found the number 1; expected text: write "1"',
    ),
    "number where a name belongs": (
        "steps: 10",
        "1: 2\n  steps: 10",
        '4:3: found the number 1 as a key; expected a name: write "1" if it is one',
    ),
    "text with a colon": (
        "title: A comparison",
        "title: {a: b}",
        "1:8: found a mapping {a: …} under 'title'; expected text: quote text that contains ': '",
    ),
    "nothing where a mapping belongs": (
        "{format: phantom, cases: 3}",
        "",
        "2:9: found nothing (null) under 'dataset'; expected a mapping (key: value)",
    ),
    "one value for a list": (
        "title: A comparison",
        "seeds: 3",
        "1:8: found the number 3 under 'seeds'; expected a list such as [a, b]: write [3]",
    ),
    "empty list": (
        "title: A comparison",
        "seeds: []",
        "1:8: found a list of 0 items under 'seeds'; expected at least 1 item",
    ),
    "item of the wrong type": (
        "title: A comparison",
        "seeds: [1, b]",
        "1:12: found the text 'b' in 'seeds'; expected a whole number",
    ),
    "list too short": (
        "{format: phantom, cases: 3}",
        "{format: lits, root: x, patch: [1, 2]}",
        "2:41: found a list of 2 items; expected more: item 3 is missing",
    ),
    "list too long": (
        "{format: phantom, cases: 3}",
        "{format: lits, root: x, patch: [1, 2, 3, 4]}",
        "2:41: found a list of 4 items under 'patch'; expected at most 3 items",
    ),
    "neither member of a union": (
        "{format: phantom, cases: 3}",
        "{format: lits, root: x, target: two}",
        "2:42: found the text 'two' under 'target'; expected a list such as [a, b] or a mapping (key: value)",
    ),
    "wrong inside a member of a union": (
        "{format: phantom, cases: 3}",
        "{format: lits, root: x, target: {a: [1, b]}}",
        "2:50: found the text 'b' in 'a'; expected a whole number",
    ),
    "wrong in the first member of a union": (
        "{format: phantom, cases: 3}",
        "{format: lits, root: x, target: [1, b]}",
        "2:46: found the text 'b' in 'target'; expected a whole number",
    ),
    "wrong word of a few": (
        "loss: {name: dice}",
        "loss: {name: dice}\n    regressor: {map: norminverse}",
        "9:22: found the text 'norminverse' under 'map'; did you mean 'norm_inverse'? "
        "allowed: distance, inverse, norm_inverse, signed",
    ),
    "unknown name of a registry": (
        "name: dice",
        "name: dicee",
        "8:18: unknown loss 'dicee'. Known: cross_entropy, dice, tversky",
    ),
    "deep inside lists": (
        "loss: {name: dice}",
        "loss: {name: dice, terms: [{name: dice}, {name: dice, fp_weight: 2}]}",
        "8:70: found the number 2 under 'fp_weight'; expected 1 or less",
    ),
    "inconsistent, with its place": (
        "title: A comparison",
        "baseline: c",
        "1:11: baseline 'c' is no method's id",
    ),
    "empty path": (
        "{format: phantom, cases: 3}",
        "{format: lits, root: ' '}",
        "2:31: expected a path, got empty text",
    ),
    "text for a path": (
        "{format: phantom, cases: 3}",
        "{format: lits, root: 3}",
        "2:31: found the number 3 under 'root'; expected a path",
    ),
    "yes for true": (
        "steps: 10",
        "steps: 10\n  compile: y",
        "5:12: found the text 'y' under 'compile'; expected true or false: write true",
    ),
    "text for a rate": (
        "learning_rate: 1e-3",
        "learning_rate: fast",
        "5:18: found the text 'fast' under 'learning_rate'; expected a number",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_is_explained_at_its_place(mistake, write, model, good, complaints):
    old, new, complaint = MISTAKES[mistake]
    assert old in good
    assert complaints(load, write(good.replace(old, new, 1)), model) == [f"suite.yaml:{complaint}"]


def test_all_mistakes_are_reported_in_the_order_of_the_file(write, model, good, complaints):
    text = good.replace("steps: 10", "steps: -1").replace("fp_weight: 0.3", "fp_wieght: 0.3").replace("cases", "casez")
    found = complaints(load, write(text), model)
    assert [line.partition(": ")[0] for line in found] == ["suite.yaml:2:28", "suite.yaml:4:10", "suite.yaml:10:27"]


def test_no_message_speaks_of_the_validation_library(write, model, good, complaints):
    for old, new, _ in MISTAKES.values():
        text = "\n".join(complaints(load, write(good.replace(old, new, 1)), model)).lower()
        assert not any(word in text for word in ("pydantic", "input", "http", "validator", "tuple", "dictionary"))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["dice", "phantom", "lits", "", "${X}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "format", "id", "matrix", "loss", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path, *(place for key in keys for place in places(value[key], (*path, key)))]


@given(st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_at_whatever_place_loads_or_is_a_located_problem(write, model, good, data):
    tree = plain(parse(Source(good, "suite.yaml", None)))
    *path, last = data.draw(st.sampled_from(places(tree)[1:]))
    node = tree
    for key in path:
        node = node[key]
    node[last] = data.draw(JUNK)
    text = json.dumps(tree).replace("NaN", ".nan").replace("-Infinity", "-.inf").replace("Infinity", ".inf")
    try:
        load(write(text), model, environ={})
    except SuiteProblems as error:
        assert all(problem.mark.line == 1 and problem.mark.column <= len(text) for problem in error.problems)  # noqa: PT017


def check(model: Any, text: str, complaints: Callable[..., list[str]]) -> list[str]:
    return complaints(validate, parse(Source(text, "s.yaml", None)), model)


class Inner(Settings):
    name: Literal["inner"]
    alpha: int = 0


class Other(Settings):
    name: Literal["other"]
    beta: int = 0


def test_a_key_that_is_named_like_a_tag_does_not_mislead(complaints):
    class Model(Settings):
        part: Annotated[Inner | Other, Field(discriminator="name")] | None = None

    text = "part: {name: inner, alpha: x, inner: 3}"
    assert check(Model, text, complaints) == [
        "s.yaml:1:28: found the text 'x' under 'alpha'; expected a whole number",
        "s.yaml:1:31: found the unknown key 'inner'; allowed here: name, alpha",
    ]


def test_tags_that_code_computes_are_followed(complaints):
    def tag(value: Any) -> str:
        return "many" if isinstance(value, tuple) else "one"

    Many = tuple[Inner, ...]

    class Model(Settings):
        part: Annotated[Annotated[Inner, Tag("one")] | Annotated[Many, Tag("many")], Discriminator(tag)]

    assert check(Model, "part: [{name: inner}, {name: inner, alhpa: 1}]", complaints) == [
        "s.yaml:1:37: found the unknown key 'alhpa'; did you mean 'alpha'? allowed here: name, alpha"
    ]


def test_models_that_custom_code_chooses_are_placed_by_the_tree(complaints):
    class Model(Settings):
        part: Annotated[Any, PlainValidator(Inner.model_validate)]

    assert check(Model, "part: {name: inner, alpha: x}", complaints) == [
        "s.yaml:1:28: found the text 'x' under 'alpha'; expected a whole number"
    ]


def test_of_several_models_the_one_that_was_meant_is_reported(complaints):
    class Model(Settings):
        part: Inner | Other | tuple[int, ...] | str

    assert check(Model, "part: {name: other, beta: x}", complaints) == [
        "s.yaml:1:27: found the text 'x' under 'beta'; expected a whole number"
    ]


def test_a_value_that_fits_no_member_is_reported_once(complaints):
    class Model(Settings):
        part: int | bool | str | None = None

    assert check(Model, "part: 1.5", complaints) == [
        "s.yaml:1:7: found the number 1.5 under 'part'; expected a whole number, true or false, or text"
    ]


def test_words_and_types_that_a_value_may_be_are_named_together(complaints):
    class Model(Settings):
        workers: Literal["auto", "all"] | int = "auto"

    assert check(Model, "workers: 1.5", complaints) == [
        "s.yaml:1:10: found the number 1.5 under 'workers'; expected 'auto' or 'all' or a whole number"
    ]


def test_a_number_too_large_for_its_field_is_explained(complaints):
    class Model(Settings):
        rate: float

    assert check(Model, f"rate: {'9' * 350}", complaints)[0].startswith("s.yaml:1:7: found the number 9999")


def test_a_key_unknown_to_custom_code_is_named(complaints):
    class Model(Settings):
        part: Annotated[Any, PlainValidator(Inner.model_validate)]

    assert check(Model, "part: {name: inner, alhpa: 1}", complaints) == [
        "s.yaml:1:21: found the unknown key 'alhpa'; remove it"
    ]


def test_aliases_of_fields_are_the_names_that_are_offered(complaints):
    class Model(Settings):
        from_: int = Field(default=0, alias="from")

    assert check(Model, "form: 1", complaints) == [
        "s.yaml:1:1: found the unknown key 'form'; did you mean 'from'? allowed here: from, extends, profiles"
    ]
