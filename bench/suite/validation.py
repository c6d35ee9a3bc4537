"""A located tree against a settings model: the settings, or every problem at its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bench.suite.fields import MISSING, Place, allowed_keys, child, walk
from bench.suite.located import LocatedDict, LocatedTuple, Mark, mark_of
from bench.suite.problems import Problem, SuiteProblems, describe, nearest
from bench.suite.wording import alternatives, explain, names_type

Model = TypeVar("Model", bound=BaseModel)


def validate(tree: LocatedDict, model: type[Model]) -> Model:
    """Build the settings of a tree.

    A validator may raise a ValueError with an attribute `path` (keys below its own field); the problem is then placed
    there.

    Raises:
        SuiteProblems: with all problems, each at its file, line and column.
    """
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        raise SuiteProblems(problems(error, tree, model)) from None


def problems(error: ValidationError, tree: LocatedDict, model: type[BaseModel]) -> list[Problem]:
    """Return the problems behind a validation error."""
    found = [_Found.of(dict(details), tree, model) for details in error.errors(include_url=False)]
    found = _without_consequences(found)
    return [problem for group in _by_union(found) for problem in _of_group(group, tree)]


def locate(tree: LocatedDict, path: Iterable[Any]) -> Mark:
    """Return the place of the value at a path of keys and indices, or of the innermost value that exists on it."""
    mark, node = tree.mark, tree
    for key in path:
        if not isinstance(node, (LocatedDict, LocatedTuple)) or child(node, key) is MISSING:
            break
        mark, node = mark_of(node, key), child(node, key)
    return mark


@dataclass(frozen=True, slots=True)
class _Found:
    details: dict[str, Any]
    place: Place
    parent: Any
    allowed: tuple[str, ...] = ()
    """Keys that may stand where an unknown one was found."""

    @classmethod
    def of(cls, details: dict[str, Any], tree: LocatedDict, model: type[BaseModel]) -> _Found:
        place = walk(model, tree, details["loc"])
        parent = _node(tree, place.keys[:-1])
        allowed: tuple[str, ...] = ()
        if details["type"] == "extra_forbidden":
            annotation = walk(model, tree, details["loc"][:-1]).annotation
            allowed = (*allowed_keys(annotation, parent), *_language_keys(place.keys))
        return cls(details, place, parent, allowed)

    @property
    def kind(self) -> str:
        return str(self.details["type"])

    @property
    def is_type_only(self) -> bool:
        """Whether the complaint is that the value has another type than a union's member, and nothing more."""
        return names_type(self.kind) and len(self.place.keys) == self.place.branches[0][0]


def _language_keys(keys: Sequence[Any]) -> tuple[str, ...]:
    """Return the keys that the language itself understands beside those of the model."""
    if len(keys) == 1:
        return ("extends", "profiles")
    return ("matrix",) if len(keys) == 3 and keys[0] == "methods" else ()


def _without_consequences(found: Sequence[_Found]) -> list[_Found]:
    """Leave out what follows from another problem: a key missing because it is misspelt, a list short of bad items."""
    misspelt = {
        (*item.place.keys[:-1], nearest(item.place.keys[-1], item.allowed))
        for item in found
        if item.kind == "extra_forbidden"
    }
    return [
        item
        for item in found
        if not (item.kind == "missing" and tuple(item.place.keys) in misspelt)
        and not (item.kind == "too_short" and len(item.details["input"]) >= item.details["ctx"]["min_length"])
    ]


def _by_union(found: Sequence[_Found]) -> list[list[_Found]]:
    """Put the errors of one untagged union together; every other error is a group of its own."""
    groups: dict[Any, list[_Found]] = {}
    for number, item in enumerate(found):
        branches = item.place.branches
        key = ("union", *item.place.keys[: branches[0][0]]) if branches else number
        groups.setdefault(key, []).append(item)
    return list(groups.values())


def _of_group(group: list[_Found], tree: LocatedDict) -> list[Problem]:
    """Report the member of a union that was meant; if none can be told, say what all members expect."""
    if not group[0].place.branches:
        return [_problem(item, tree) for item in group]
    members: dict[Any, list[_Found]] = {}
    for item in group:
        members.setdefault(item.place.branches[0][1], []).append(item)
    meant = [items for items in members.values() if not all(item.is_type_only for item in items)]
    if meant:
        return [_problem(item, tree) for item in min(meant, key=len)]
    first = group[0]
    expected = alternatives(item.details for item in group)
    under = f" under '{first.place.keys[-1]}'" if first.place.keys and isinstance(first.place.keys[-1], str) else ""
    return [Problem(_mark(first, tree), f"found {describe(first.details['input'])}{under}; expected {expected}")]


def _problem(item: _Found, tree: LocatedDict) -> Problem:
    return Problem(_mark(item, tree), explain(item.details, item.place, item.parent, item.allowed))


def _mark(item: _Found, tree: LocatedDict) -> Mark:
    """Keys for unknown keys, the mapping for missing ones, else the value."""
    keys, kind = item.place.keys, item.kind
    if (kind in ("extra_forbidden", "invalid_key") or item.place.on_key) and isinstance(item.parent, LocatedDict):
        written = next((key for key in item.parent if str(key) == str(keys[-1])), None)
        return item.parent.key_marks.get(written, item.parent.mark)
    if kind == "union_tag_invalid":
        return locate(tree, [*keys, item.details["ctx"]["discriminator"].strip("'")])
    if kind == "value_error":
        return locate(tree, [*keys, *getattr(item.details["ctx"]["error"], "path", ())])
    return locate(tree, keys[:-1] if kind == "missing" else keys)


def _node(tree: Any, keys: Iterable[Any]) -> Any:
    node = tree
    for key in keys:
        node = child(node, key)
    return node if isinstance(node, (Mapping, tuple)) else None
