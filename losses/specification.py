"""A loss as data: `{name, **parameters}`, as written in a suite, and the same with nothing left to defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from losses.errors import LossError
from losses.registry import Registry

if TYPE_CHECKING:
    from losses.base import Loss


def split(specification: object) -> tuple[str, dict[str, Any]]:
    """Return name and parameters of `{name, **parameters}`."""
    if not isinstance(specification, Mapping) or not isinstance(specification.get("name"), str):
        raise LossError(f"expected a loss as {{name: …, parameters}}, got {specification!r}")
    parameters = {str(key): value for key, value in specification.items() if key != "name"}
    return specification["name"], parameters


def resolve(registry: Registry[Loss], specification: object) -> dict[str, Any]:
    """Fill in every default; a loss that holds others resolves them through its `resolve_parameters`."""
    name, given = split(specification)
    registry.check(name, given)
    defaults = registry.parameters(name)
    filled = {key: given.get(key, parameter.default) for key, parameter in defaults.items()}
    filled |= {key: value for key, value in given.items() if key not in filled}
    typed = {key: _like(defaults[key].default if key in defaults else None, value) for key, value in filled.items()}
    nested = getattr(registry.get(name), "resolve_parameters", None)
    return {"name": name, **(nested(typed) if nested is not None else typed)}


def _like(default: object, value: object) -> object:
    """A whole number given for a float parameter is that float, so that `1` and `1.0` are one loss."""
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
