"""Plain words for what a settings model complains about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.suite.fields import Place, allowed_values, tags_of
from bench.suite.problems import describe, suggest

EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list such as [a, b]",
    "list_type": "a list such as [a, b]",
    "set_type": "a list such as [a, b]",
    "dict_type": "a mapping (key: value)",
    "mapping_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "dataclass_type": "a mapping (key: value)",
    "path_type": "a path",
    "is_instance_of": "a path",
    "none_required": "nothing (null)",
}
"""Complaints about the type alone, and the type that was expected."""

# Words for true and false that are text in a suite.
_SAID = dict.fromkeys(("yes", "y", "on", "true"), "true") | dict.fromkeys(("no", "n", "off", "false"), "false")
_QUOTED = re.compile(r"'([^']*)'")


def explain(error: Mapping[str, Any], place: Place, parent: Any, allowed: Sequence[str] = ()) -> str:
    """Say what was found, what is expected and what to do, for one error of a settings model."""
    kind, found, context = error["type"], error["input"], error.get("ctx", {})
    if kind in EXPECTED:
        return f"found {describe(found)}{_at(place)}; expected {EXPECTED[kind]}{_advice(kind, found)}"
    if kind == "extra_forbidden":
        key = place.keys[-1]
        return f"found the unknown key '{key}'; {suggest(key, allowed, 'allowed here') if allowed else 'remove it'}"
    if kind == "invalid_key":
        return f'found the number {place.keys[-1]} as a key; expected a name: write "{place.keys[-1]}" if it is one'
    if kind == "missing":
        return _missing(place, parent)
    if kind in ("literal_error", "enum"):
        return f"found {describe(found)}{_at(place)}; {_choices(found, place, context.get('expected', ''))}"
    if kind == "union_tag_invalid":
        key, tags = context["discriminator"].strip("'"), _QUOTED.findall(context["expected_tags"])
        return f"found {describe(context['tag'])} under '{key}'; {suggest(context['tag'], tags)}"
    if kind == "union_tag_not_found":
        key = context["discriminator"].strip("'")
        choices = ", ".join(map(str, tags_of(place.annotation)))
        hint = f" with one of {choices}" if choices else ""
        return f"the key '{key}' is missing{_in(place)}; add '{key}: …'{hint}"
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error", error["msg"]))
    return f"found {describe(found)}{_at(place)}; {_bounds(kind, context) or _tidy(error['msg'])}"


def names_type(kind: str) -> bool:
    """Say whether a complaint is that a value is of another kind than expected, and nothing more."""
    return kind in EXPECTED or kind in ("literal_error", "enum")


def alternatives(errors: Iterable[Mapping[str, Any]]) -> str:
    """Say what a value may be that fits none of several types: "a, b, or c"."""
    phrases = dict.fromkeys(EXPECTED.get(error["type"]) or error["ctx"]["expected"] for error in errors)
    if EXPECTED["float_type"] in phrases:
        phrases.pop(EXPECTED["int_type"], None)
    *others, last = phrases
    if len(others) < 2:
        return " or ".join([*others, last])
    return f"{', '.join(others)}, or {last}"


def _at(place: Place) -> str:
    """Name the key that a value stands under."""
    names = [key for key in place.keys if isinstance(key, str)]
    if place.on_key or not names:
        return ""
    return f" {'in' if isinstance(place.keys[-1], int) else 'under'} '{names[-1]}'"


def _in(place: Place) -> str:
    return f" in '{place.keys[-1]}'" if place.keys and isinstance(place.keys[-1], str) else ""


def _missing(place: Place, parent: Any) -> str:
    key = place.keys[-1]
    if isinstance(key, int):
        return f"found {describe(parent)}; expected more: item {key + 1} is missing"
    where = _in(Place(keys=place.keys[:-1]))
    return f"the key '{key}' is missing{where}; add '{key}: …'"


def _choices(found: Any, place: Place, expected: str) -> str:
    values = allowed_values(place.annotation) or _QUOTED.findall(expected)
    return suggest(found, values) if values else f"expected {expected}"


def _advice(kind: str, found: Any) -> str:
    """Say what to write instead when the value was meant right and written wrong."""
    if kind == "string_type" and isinstance(found, (bool, int, float)):
        written = str(found).lower() if isinstance(found, bool) else found
        return f': write "{written}"'
    if kind.startswith("int") and isinstance(found, float) and found.is_integer():
        return f": write {int(found)}"
    if kind == "bool_type" and isinstance(found, str) and found.lower() in _SAID:
        return f": write {_SAID[found.lower()]}"
    if kind in ("int_type", "float_type") and isinstance(found, str):
        plain = r"[-+]?[0-9]+" if kind == "int_type" else r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?"
        return ": write it without quotes" if re.fullmatch(plain, found) else ""
    if kind == "string_type" and isinstance(found, Mapping):
        return ": quote text that contains ': '"
    if kind in ("tuple_type", "list_type") and re.fullmatch(r"[\w. -]{1,30}", str(found)):
        return f": write [{found}]"
    return ""


def _bounds(kind: str, context: Mapping[str, Any]) -> str:
    words = {
        "greater_than": ("gt", "expected more than {}"),
        "greater_than_equal": ("ge", "expected {} or more"),
        "less_than": ("lt", "expected less than {}"),
        "less_than_equal": ("le", "expected {} or less"),
        "multiple_of": ("multiple_of", "expected a multiple of {}"),
        "too_short": ("min_length", "expected at least {} item"),
        "too_long": ("max_length", "expected at most {} item"),
        "string_too_short": ("min_length", "expected at least {} character"),
        "string_too_long": ("max_length", "expected at most {} character"),
        "string_pattern_mismatch": ("pattern", "expected text that matches {}"),
    }
    if kind not in words:
        return ""
    key, text = words[kind]
    value = context[key]
    if isinstance(value, float):
        value = f"{value:g}"
    return text.format(value) + ("s" if text.endswith(("item", "character")) and value != 1 else "")


def _tidy(message: str) -> str:
    text = message.removeprefix("Input should be ").removeprefix("Value error, ")
    return f"expected {text}" if text != message else text
