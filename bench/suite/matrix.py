"""`matrix:` items in a list of methods: one method per combination of varied values.

    - matrix:
        base: {loss: {name: map_dice}, regressor: {name: lr_net}}
        vary:
          regressor.map: [distance, inverse]                     # dotted path: values
          "loss.fp_weight, loss.fn_weight": [[.3, .7], [.1, .9]] # several paths: values that belong together
        id: "mapdice-{regressor.map}-{loss.fp_weight}"
        label: "Dice, {regressor.map}"

The combinations are the Cartesian product in the order written, the last key varying fastest.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from bench.suite.located import LocatedDict, LocatedStr, LocatedTuple, Mark, Value
from bench.suite.paths import put
from bench.suite.problems import Problem, SuiteProblems, describe, refuse, suggest
from bench.suite.template import fill

MAX_METHODS = 10_000
KEYS = ("base", "vary", "id", "label")


@dataclass(frozen=True, slots=True)
class _Setting:
    """One value for one dotted path."""

    path: str
    value: Value
    key_mark: Mark
    value_mark: Mark


def expand_matrices(tree: LocatedDict) -> LocatedDict:
    """Return a suite file's tree with the matrices in `methods:`, and in those of its profiles, written out.

    Raises:
        SuiteProblems: a matrix that is not written as above, an unknown `{placeholder}`, or an id that is used twice.
    """
    if isinstance(tree.get("methods"), LocatedTuple):
        mark = tree.value_marks["methods"]
        tree = tree.with_item("methods", _expand_list(tree["methods"]), tree.key_marks["methods"], mark)
    profiles = tree.get("profiles")
    if isinstance(profiles, LocatedDict):
        for name, profile in profiles.items():
            if isinstance(profile, LocatedDict):
                expanded = expand_matrices(profile)
                profiles = profiles.with_item(name, expanded, profiles.key_marks[name], profiles.value_marks[name])
        tree = tree.with_item("profiles", profiles, tree.key_marks["profiles"], tree.value_marks["profiles"])
    return tree


def _expand_list(methods: LocatedTuple) -> LocatedTuple:
    items: list[Value] = []
    marks: list[Mark] = []
    for method, mark in zip(methods, methods.marks, strict=True):
        expanded = list(_expand(method)) if isinstance(method, LocatedDict) and "matrix" in method else [method]
        items += expanded
        marks += [mark] * len(expanded)
    _refuse_equal_ids(items)
    return LocatedTuple(items, methods.mark, marks)


def _refuse_equal_ids(methods: list[Value]) -> None:
    seen: dict[str, Mark] = {}
    problems = []
    for method in methods:
        identity = method.get("id") if isinstance(method, LocatedDict) else None
        if not isinstance(identity, LocatedStr):
            continue
        if identity in seen:
            text = f"found the id '{identity}' twice, here and at {seen[identity]}; each method needs its own id"
            if seen[identity] == identity.mark:
                text = f"found the id '{identity}' for several methods of this matrix; put every varied path into it"
            problems.append(Problem(identity.mark, text))
        seen.setdefault(identity, identity.mark)
    if problems:
        raise SuiteProblems(problems)


def _expand(item: LocatedDict) -> Iterator[LocatedDict]:
    matrix = item["matrix"]
    if not isinstance(matrix, LocatedDict):
        text = f"found {describe(matrix)} under 'matrix'; expected a mapping with the keys {', '.join(KEYS)}"
        raise refuse(item.value_marks["matrix"], text)
    _check_keys(item, matrix)
    axes = [_axis(matrix["vary"], key) for key in matrix["vary"]]
    count = math.prod(map(len, axes))
    if count > MAX_METHODS:
        mark = matrix.key_marks["vary"]
        raise refuse(mark, f"found a matrix of {count} methods; expected at most {MAX_METHODS}: vary less")
    for combination in itertools.product(*axes):
        yield _method(matrix, [setting for settings in combination for setting in settings])


def _check_keys(item: LocatedDict, matrix: LocatedDict) -> None:
    problems = [
        Problem(item.key_marks[key], f"found the key '{key}' beside 'matrix'; move it into 'base' or below 'matrix'")
        for key in item
        if key != "matrix"
    ]
    for key in matrix:
        if key not in KEYS:
            text = f"found the unknown key '{key}' in a matrix; {suggest(key, KEYS, 'allowed here')}"
            problems.append(Problem(matrix.key_marks[key], text))
    expected = {"base": LocatedDict, "vary": LocatedDict, "id": LocatedStr, "label": LocatedStr}
    for key, kind in expected.items():
        what = "text" if kind is LocatedStr else "a mapping"
        if key not in matrix and key != "label":
            problems.append(Problem(matrix.mark, f"the key '{key}' is missing in this matrix; expected {what}"))
        elif key in matrix and not (isinstance(matrix[key], kind) and matrix[key]):
            text = f"found {describe(matrix[key])} under '{key}' of a matrix; expected {what}"
            problems.append(Problem(matrix.value_marks[key], text))
    if problems:
        raise SuiteProblems(problems)


def _axis(vary: LocatedDict, key: str) -> list[list[_Setting]]:
    """Return the alternatives of one key of `vary`, each a value for every path that the key names."""
    values, key_mark = vary[key], vary.key_marks[key]
    paths = [path.strip() for path in str(key).split(",")]
    if not all(all(path.split(".")) for path in paths):
        raise refuse(key_mark, f"found '{key}' under 'vary'; expected dotted paths such as loss.name, split by commas")
    if not isinstance(values, LocatedTuple) or not values:
        text = f"found {describe(values)} under '{key}' of 'vary'; expected a list of the values to try, such as [a, b]"
        raise refuse(vary.value_marks[key], text)
    if len(paths) == 1:
        marks = zip(values, values.marks, strict=True)
        return [[_Setting(paths[0], value, key_mark, mark)] for value, mark in marks]
    return [_group(paths, value, key_mark, mark) for value, mark in zip(values, values.marks, strict=True)]


def _group(paths: list[str], values: Value, key_mark: Mark, mark: Mark) -> list[_Setting]:
    if not isinstance(values, LocatedTuple) or len(values) != len(paths):
        text = f"found {describe(values)}; expected a list of {len(paths)} values, one for each of {', '.join(paths)}"
        raise refuse(mark, text)
    marked = zip(paths, values, values.marks, strict=True)
    return [_Setting(path, value, key_mark, value_mark) for path, value, value_mark in marked]


def _method(matrix: LocatedDict, settings: list[_Setting]) -> LocatedDict:
    method: Value = matrix["base"]
    for setting in settings:
        steps = setting.path.split(".")
        method = put(method, steps, setting.value, key_mark=setting.key_mark, value_mark=setting.value_mark)
    assert isinstance(method, LocatedDict)
    named = method
    for key in ("id", "label"):
        if key in matrix:
            text = fill(matrix[key], method, [setting.path for setting in settings])
            named = named.with_item(key, text, matrix.key_marks[key], matrix.value_marks[key])
    return named
