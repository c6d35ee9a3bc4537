"""What every settings model of the harness has in common: strict types, no unknown keys, paths relative to the suite.

YAML sequences arrive as tuples (see `bench.suite`), so settings are immutable through and through and can be hashed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError


class Settings(BaseModel):
    """Base of all settings: unknown keys and loosely typed values are errors, instances are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


def _resolve(value: Any) -> Path:
    """Turn text into a path; text that remembers the suite file it was written in is relative to that file's folder."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("path_type", "expected a path as text")
    if not value.strip():
        raise ValueError("expected a path, got empty text")
    folder = getattr(value, "folder", None) or Path.cwd()
    try:
        path = Path(value).expanduser()
    except RuntimeError as error:
        raise ValueError(f"expected a path, but {value.split('/')[0]} is nobody's home folder here") from error
    return Path(os.path.normpath(Path(folder) / path))


# A plain validator, because a strict path refuses a path object where settings are read back from JSON.
SuitePath = Annotated[
    Path, PlainValidator(_resolve), PlainSerializer(str, return_type=str), WithJsonSchema({"type": "string"})
]
"""A path; when written in a suite, relative to the suite file."""

PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]
