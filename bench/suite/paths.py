"""Dotted paths such as `training.steps`, as `--set` and matrices use them to reach one value of a tree."""

from __future__ import annotations

from collections.abc import Sequence

from bench.suite.located import LocatedDict, LocatedTuple, Mark, Value
from bench.suite.problems import describe, refuse, suggest


def get(node: Value, path: str) -> Value:
    """Return the value at a path through mappings.

    Raises:
        KeyError: there is none.
    """
    for step in path.split("."):
        if not isinstance(node, LocatedDict):
            raise KeyError(path)
        node = node[step]
    return node


def put(
    node: Value, steps: Sequence[str], value: Value, *, key_mark: Mark, value_mark: Mark, walked: tuple[str, ...] = ()
) -> Value:
    """Return the tree with the value at a path replaced or added; mappings on the way are made where they lack.

    A list is stepped into by index, a list of methods also by id.

    Raises:
        SuiteProblems: the path leads through something that has no keys, at `key_mark`.
    """
    if not steps:
        return value
    if node is None:
        node = LocatedDict({}, key_mark)
    if isinstance(node, LocatedDict):
        key, rest = steps[0], steps[1:]
        inner = node.get(key)
        new = put(inner, rest, value, key_mark=key_mark, value_mark=value_mark, walked=(*walked, key))
        mark = node.value_marks[key] if rest and key in node else value_mark
        return node.with_item(key, new, node.key_marks.get(key, key_mark), mark)
    if isinstance(node, LocatedTuple):
        index, used = _index(node, steps, key_mark, walked)
        rest, inside = steps[used:], (*walked, *steps[:used])
        new = put(node[index], rest, value, key_mark=key_mark, value_mark=value_mark, walked=inside)
        return node.with_item(index, new, node.marks[index] if rest else value_mark)
    text = f"found '{'.'.join([*walked, *steps])}', but '{'.'.join(walked)}' is {describe(node)} and has no keys"
    raise refuse(key_mark, f"{text}; shorten the path")


def _index(node: LocatedTuple, steps: Sequence[str], mark: Mark, walked: tuple[str, ...]) -> tuple[int, int]:
    """Return the index of the item that the next steps name, and how many steps the name takes (ids may have dots)."""
    ids = [item.get("id") if isinstance(item, LocatedDict) else None for item in node]
    for used in range(len(steps), 0, -1):
        name = ".".join(steps[:used])
        if name in ids:
            return ids.index(name), used
    if steps[0].isdecimal() and int(steps[0]) < len(node):
        return int(steps[0]), 1
    names = [name for name in ids if name is not None] or list(range(len(node)))
    text = f"found '{steps[0]}' in '{'.'.join([*walked, *steps])}', which '{'.'.join(walked)}' does not have"
    raise refuse(mark, f"{text}; {suggest(steps[0], names)}")
