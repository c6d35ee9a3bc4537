"""Walking a settings model along the location of a validation error, in step with the tree that was validated.

A validation error's location mixes keys of the tree with tags and names of union members; only the model tells
them apart. Where the model does not say (a field validated by custom code), the tree decides.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

MISSING: Any = object()
_NONE = type(None)


@dataclass(slots=True)
class Place:
    """Where an error's location leads.

    keys        path of keys and indices in the tree.
    annotation  what the model expects there; None when unknown.
    branches    (length of `keys`, label) of each member of an untagged union on the way.
    on_key      the complaint is about the key itself.
    """

    keys: list[Any] = field(default_factory=list)
    annotation: Any = None
    branches: list[tuple[int, Any]] = field(default_factory=list)
    on_key: bool = False


def walk(model: type[BaseModel], tree: Any, location: Sequence[Any]) -> Place:
    """Follow an error's location through model and tree."""
    place = Place(annotation=model)
    node = tree
    for step in location:
        if step == "[key]":
            place.on_key = True
            break
        annotation, discriminator = _unwrap(place.annotation)
        if _is_union(annotation):
            if discriminator is None:
                place.branches.append((len(place.keys), step))
            place.annotation = _member(annotation, step, node, discriminator)
        elif annotation in (None, Any, object) and not _has(node, step):
            place.branches.append((len(place.keys), step))
        else:
            place.annotation = _inner(annotation, step)
            place.keys.append(step)
            node = child(node, step)
    return place


def child(node: Any, key: Any) -> Any:
    """Return the value under a key or index, or MISSING."""
    return node[key] if _has(node, key) else MISSING


def allowed_keys(annotation: Any, node: Any) -> list[str]:
    """Return the keys that a mapping at this place may have, as far as the model says."""
    annotation, discriminator = _unwrap(annotation)
    if _is_model(annotation):
        return [info.alias or name for name, info in annotation.model_fields.items()]
    if not _is_union(annotation):
        return []
    models = [inner for inner, _ in map(_unwrap, get_args(annotation)) if _is_model(inner)]
    if isinstance(discriminator, str) and isinstance(node, Mapping):
        tagged = [model for model in models if node.get(discriminator) in _tags(model, discriminator)]
        models = tagged or models
    return list(dict.fromkeys(key for model in models for key in allowed_keys(model, node)))


def allowed_values(annotation: Any) -> list[Any]:
    """Return the values of a Literal (possibly optional), or nothing."""
    annotation, _ = _unwrap(annotation)
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if _is_union(annotation):
        return [value for inner in get_args(annotation) for value in allowed_values(inner)]
    return []


def tags_of(annotation: Any) -> list[Any]:
    """Return the tags of a union whose members are told apart by a key, or nothing."""
    annotation, discriminator = _unwrap(annotation)
    if not _is_union(annotation):
        return []
    models = [inner for inner, _ in map(_unwrap, get_args(annotation)) if _is_model(inner)]
    return [tag for model in models for tag in _tags(model, discriminator)]


def _unwrap(annotation: Any) -> tuple[Any, Any]:
    """Strip Annotated, aliases and `| None`; return what is left and the union's discriminator, if any."""
    discriminator = None
    while True:
        if isinstance(annotation, FieldInfo):
            discriminator = discriminator or annotation.discriminator
            annotation = Annotated[annotation.annotation, *annotation.metadata, None]
        elif get_origin(annotation) is Annotated:
            annotation, *metadata = get_args(annotation)
            found = (getattr(item, "discriminator", None) for item in metadata)
            discriminator = discriminator or next(filter(None, found), None)
        elif hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif _is_union(annotation) and _NONE in get_args(annotation):
            annotation = Union[tuple(arg for arg in get_args(annotation) if arg is not _NONE)]  # noqa: UP007
        else:
            return annotation, discriminator


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _has(node: Any, key: Any) -> bool:
    if isinstance(node, Mapping):
        return key in node
    return isinstance(node, (tuple, list)) and isinstance(key, int) and 0 <= key < len(node)


def _member(union: Any, label: Any, node: Any, discriminator: Any) -> Any:
    """Return the member of a union that a label in a location stands for; None when it cannot be told."""
    members = get_args(union)
    for member in members:
        inner, inner_discriminator = _unwrap(member)
        if Tag(label) in getattr(member, "__metadata__", ()):
            return member
        if _is_model(inner) and (inner.__name__ == label or label in _tags(inner, discriminator)):
            return member
        if inner_discriminator is not None and str(label).startswith("tagged-union"):
            return member
        if str(label).startswith(_type_name(inner)):
            return member
    return next((member for member in members if _fits(member, node)), None)


def _type_name(annotation: Any) -> str:
    return str(getattr(get_origin(annotation) or annotation, "__name__", annotation))


def _fits(annotation: Any, node: Any) -> bool:
    """Say whether a value has the shape (mapping, list or neither) that a type expects."""
    inner, _ = _unwrap(annotation)
    kind = get_origin(inner) or inner
    if isinstance(node, Mapping):
        return _is_model(inner) or kind is dict
    return isinstance(node, (tuple, list)) and kind in (tuple, list)


def _tags(model: type[BaseModel], discriminator: Any) -> Iterable[Any]:
    if not isinstance(discriminator, str) or discriminator not in model.model_fields:
        return ()
    return allowed_values(model.model_fields[discriminator].annotation)


def _inner(annotation: Any, step: Any) -> Any:
    """Return what the model expects one step further in; None when unknown."""
    if _is_model(annotation):
        for name, info in annotation.model_fields.items():
            if step in (name, info.alias):
                return info
        return None
    arguments = get_args(annotation)
    origin = get_origin(annotation)
    if origin in (dict, Mapping) and len(arguments) == 2:
        return arguments[1]
    if origin in (tuple, list, Sequence) and arguments:
        if isinstance(step, int) and origin is tuple and Ellipsis not in arguments:
            return arguments[step] if step < len(arguments) else None
        return arguments[0]
    return None
