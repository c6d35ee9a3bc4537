"""One tree over another: how a suite changes what it extends, and how a profile changes its suite.

Mappings are merged key by key, the right one wins, marks follow the values. Five rules go beyond that:

- `null` takes an inherited key away (its default applies again); where nothing is inherited it is an ordinary null;
- a mapping that names another thing (its `name:` or `format:` differs) replaces the whole mapping, so that the
  parameters of one loss never reach another;
- `profiles:` of the right come first, because the first profile whose data is there is taken;
- `methods:` are merged by id: the same id replaces the method in its place, new ids are appended;
- `plugins:` of the right are appended, because inherited methods may need those of the left.

Every other list is replaced as a whole.
"""

from __future__ import annotations

from typing import Any

from bench.suite.located import LocatedDict, LocatedTuple, Mark, Value

NAMING_KEYS = ("name", "format")


def merge(left: LocatedDict, right: LocatedDict) -> LocatedDict:
    """Return `left` changed by `right`."""
    if any(key in left and key in right and left[key] != right[key] for key in NAMING_KEYS):
        return right
    items: dict[Any, Value] = dict(left)
    key_marks, value_marks = dict(left.key_marks), dict(left.value_marks)
    for key, value in right.items():
        if key in left and value is None:
            del items[key]
            continue
        items[key] = _merge_value(key, left[key], value) if key in left else value
        key_marks[key], value_marks[key] = right.key_marks[key], right.value_marks[key]
    return LocatedDict(items, left.mark, key_marks, value_marks)


def _merge_value(key: Any, left: Value, right: Value) -> Value:
    if isinstance(left, LocatedDict) and isinstance(right, LocatedDict):
        merged = merge(left, right)
        return _first(merged, right) if key == "profiles" else merged
    if key == "methods" and isinstance(left, LocatedTuple) and isinstance(right, LocatedTuple):
        return _merge_methods(left, right)
    if key == "plugins" and isinstance(left, LocatedTuple) and isinstance(right, LocatedTuple):
        return LocatedTuple((*left, *right), left.mark, (*left.marks, *right.marks))
    return right


def _first(merged: LocatedDict, leading: LocatedDict) -> LocatedDict:
    """Return the same mapping with the keys of `leading` in front."""
    order = [key for key in leading if key in merged] + [key for key in merged if key not in leading]
    return LocatedDict({key: merged[key] for key in order}, merged.mark, merged.key_marks, merged.value_marks)


def _merge_methods(left: LocatedTuple, right: LocatedTuple) -> LocatedTuple:
    items: list[Value] = list(left)
    marks: list[Mark] = list(left.marks)
    places = {_id(method): index for index, method in enumerate(left) if _id(method) is not None}
    for method, mark in zip(right, right.marks, strict=True):
        index = places.get(_id(method))
        if index is None:
            items.append(method)
            marks.append(mark)
        else:
            items[index], marks[index] = method, mark
    return LocatedTuple(items, left.mark, marks)


def _id(method: Value) -> Any:
    identity = method.get("id") if isinstance(method, LocatedDict) else None
    return identity if isinstance(identity, str) else None
