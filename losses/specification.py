"""A loss as data: `{name, **parameters}`, as written in a suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losses.errors import LossError


def split(specification: object) -> tuple[str, dict[str, Any]]:
    """Return name and parameters of `{name, **parameters}`; raises `LossError` for anything else."""
    if not isinstance(specification, Mapping) or not isinstance(specification.get("name"), str):
        raise LossError(f"expected a loss such as {{name: dice}} with its parameters, got {specification!r}")
    parameters = {str(key): value for key, value in specification.items() if key != "name"}
    return specification["name"], parameters
