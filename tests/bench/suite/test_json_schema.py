from __future__ import annotations

import json
import re
from typing import Annotated, Any

import pytest
from pydantic import PlainValidator

from bench.files.home import HOME
from bench.settings import Settings
from bench.suite.json_schema import schema
from bench.suite.located import plain
from bench.suite.source import Source
from bench.suite.tree import parse

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int}


def fits(value: Any, rule: Any, root: dict[str, Any]) -> bool:
    """Draft 2020-12, as far as these schemas use it."""
    if isinstance(rule, bool):
        return rule
    checks = [
        "$ref" not in rule or fits(value, root["$defs"][rule["$ref"].removeprefix("#/$defs/")], root),
        "type" not in rule or has_type(value, rule["type"]),
        "const" not in rule or value == rule["const"],
        "enum" not in rule or value in rule["enum"],
        "anyOf" not in rule or any(fits(value, member, root) for member in rule["anyOf"]),
        "oneOf" not in rule or sum(fits(value, member, root) for member in rule["oneOf"]) == 1,
        "if" not in rule or fits(value, rule["then" if fits(value, rule["if"], root) else "else"], root),
        "exclusiveMinimum" not in rule or not is_number(value) or value > rule["exclusiveMinimum"],
        "minimum" not in rule or not is_number(value) or value >= rule["minimum"],
        "pattern" not in rule or not isinstance(value, str) or re.search(rule["pattern"], value) is not None,
        "maximum" not in rule or not is_number(value) or value <= rule["maximum"],
    ]
    if isinstance(value, dict):
        checks += object_checks(value, rule, root)
    if isinstance(value, list):
        checks += [fits(item, rule.get("items", True), root) for item in value]
        checks.append(rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", len(value)))
    return all(checks)


def object_checks(value: dict[str, Any], rule: dict[str, Any], root: dict[str, Any]) -> list[bool]:
    known = rule.get("properties", {})
    inner = [fits(item, known.get(key, rule.get("additionalProperties", True)), root) for key, item in value.items()]
    return [*inner, set(rule.get("required", ())) <= set(value), len(value) >= rule.get("minProperties", 0)]


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def has_type(value: Any, name: str) -> bool:
    if name in ("number", "integer"):
        return is_number(value) and (name == "number" or isinstance(value, int))
    return isinstance(value, TYPES[name])


@pytest.fixture
def accepts(model):
    rules = schema(model)
    return lambda text: fits(plain(parse(Source(text, "suite.yaml", None))), rules, rules)


MATRIX = (
    "methods:\n  - matrix: {base: {loss: {name: dice}}, vary: {loss.fp_weight: [0.1, 0.2]}, id: 'm{loss.fp_weight}'}\n"
)


def test_a_complete_suite_is_accepted(accepts, good):
    assert accepts(good)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("training:", "trainng:"),
        ("  steps: 10\n", ""),
        ("steps: 10", "steps: many"),
        ("steps: 10", "steps: 0"),
        ("format: phantom", "format: fantom"),
        ("fp_weight", "fp_wieght"),
        ("fp_weight: 0.3", "fp_weight: 2"),
    ],
)
def test_what_the_loader_refuses_is_marked_in_the_editor(accepts, good, old, new):
    assert not accepts(good.replace(old, new))


def test_with_profiles_or_a_parent_the_file_need_not_be_complete(accepts):
    assert accepts("extends: base.yaml\ntraining: {learning_rate: 0.1}\n")
    assert accepts("title: x\nprofiles: {a: {dataset: {format: lits}, training: {compile: true}}}\n")
    assert not accepts("title: x\n")


def test_unknown_keys_are_marked_in_partial_files_too(accepts):
    assert not accepts("extends: base.yaml\ntraining: {learning_rat: 0.1}\n")
    assert not accepts("profiles: {a: {trainig: {}}}\n")
    assert not accepts("profiles: {a: {extends: b.yaml}}\n")


def test_null_takes_a_key_away_only_where_something_is_inherited(accepts, good):
    assert accepts("extends: base.yaml\ntraining: {learning_rate: null}\n")
    assert not accepts(good.replace("1e-3", "null"))


def test_methods_stay_complete_because_they_are_replaced_as_a_whole(accepts):
    assert accepts("extends: base.yaml\nmethods: [{id: x, loss: {name: dice}}]\n")
    assert not accepts("extends: base.yaml\nmethods: [{id: x}]\n")


def test_a_matrix_stands_among_the_methods(accepts, good):
    start = good.partition("methods:")[0]
    assert accepts(start + MATRIX)
    assert not accepts(start + MATRIX.replace("id: ", "ids: "))
    assert not accepts(start + MATRIX.replace("[0.1, 0.2]", "0.1"))
    assert not accepts(start + MATRIX.replace("name: dice", "nam: dice"))


def test_descriptions_come_from_docstrings_and_fields(model):
    definitions = schema(model)["$defs"]
    assert definitions["Training"]["description"] == "The budget."
    assert definitions["Training"]["properties"]["steps"]["description"] == "Optimiser steps."
    assert definitions["Training"]["properties"]["learning_rate"]["description"] == "Adam's learning rate."
    assert definitions["PartialTraining"]["properties"]["steps"]["description"] == "Optimiser steps."


def test_the_schema_is_plain_json_of_its_dialect(model):
    rules = schema(model)
    assert rules["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(rules)) == rules
    for name in json.dumps(rules).split('"#/$defs/')[1:]:
        assert name.partition('"')[0] in rules["$defs"]


class Nested(Settings):
    inner: Nested | None = None
    free: Annotated[Any, PlainValidator(str)] = ""


class Root(Settings):
    part: Nested


def test_types_that_contain_themselves_and_types_made_by_code_are_described():
    rules = schema(Root)
    assert fits({"part": {"inner": {"inner": {}}}}, rules, rules)
    assert fits({"profiles": {"a": {"part": {"inner": {"free": 3}}}}}, rules, rules)
    assert not fits({"part": {"inner": {"x": 1}}}, rules, rules)


@pytest.fixture(scope="module")
def real():
    """Whether a file fits the schema of real suites."""
    from bench.suite.schema import Suite

    rules = schema(Suite)
    return lambda text: fits(plain(parse(Source(text, "suite.yaml", None))), rules, rules)


@pytest.mark.parametrize("name", sorted(path.name for path in (HOME / "suites").glob("*.yaml")))
def test_the_suites_that_ship_with_the_project_are_accepted(real, name):
    assert real((HOME / "suites" / name).read_text())


@pytest.mark.parametrize(
    "change",
    [
        {"trainig": {}},
        {"training": {"steps": "many"}},
        {"training": {"steps": 0}},
        {"training": {"stepz": 3}},
        {"dataset": {"format": "lit"}},
        {"seeds": 3},
        {"methods": [{"id": "a"}]},
        {"methods": [{"id": "a b", "loss": {"name": "dice"}}]},
        {"sampling": None},
    ],
    ids=str,
)
def test_mistakes_in_a_real_suite_are_marked_in_the_editor(real, workshop, change):
    assert real(workshop.suite().read_text())
    assert not real(workshop.suite(**change).read_text())
