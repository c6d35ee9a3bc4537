"""JSON Schema (draft 2020-12) of suite files, for completion and checks in editors.

A file with `extends:` or `profiles:` is one part of a suite, and so is every profile: there no key is required, and
null takes an inherited key away. Lists are replaced as a whole, so their items are always complete.
"""

from __future__ import annotations

import copy
from typing import Any, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DEFS = "#/$defs/"
_PARTIAL = "Partial"


def schema(model: type[BaseModel]) -> Schema:
    """Return the schema of the suite files that a settings model reads.

    Put the result in a file and name it in the first line of a suite: `# yaml-language-server: $schema=FILE`.
    """
    root = model.model_json_schema(schema_generator=_Generator)
    definitions: Schema = root.pop("$defs", {})
    whole = definitions.pop(root.pop("$ref").removeprefix(_DEFS)) if "$ref" in root else root
    if "methods" in whole["properties"]:
        _allow_matrices(whole["properties"]["methods"], definitions)
    partial = _Partial(definitions)
    definitions["Profile"] = partial.of(whole)
    for name, part in (("Suite", whole), (_PARTIAL + "Suite", definitions["Profile"])):
        definitions[name] = part | {"properties": part["properties"] | _file_keys()}
    return {
        "$schema": DIALECT,
        "title": "imbalance-bench suite",
        "type": "object",
        "if": {"anyOf": [{"required": ["extends"]}, {"required": ["profiles"]}]},
        "then": {"$ref": f"{_DEFS}{_PARTIAL}Suite"},
        "else": {"$ref": f"{_DEFS}Suite"},
        "$defs": definitions,
    }


class _Generator(GenerateJsonSchema):
    """No titles made up from field names, and no failure for types that only code can describe."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def handle_invalid_for_json_schema(
        self,
        schema: core_schema.CoreSchema,
        error_info: str,
    ) -> JsonSchemaValue:
        return {}


def _file_keys() -> Schema:
    """Keys of a suite file that are used up before its settings are read."""
    profile = {"anyOf": [{"$ref": _DEFS + "Profile"}, {"type": "null"}]}
    profiles = {"type": "object", "additionalProperties": profile, "minProperties": 1}
    return {
        "extends": {"type": "string", "description": "Path of the suite that this one changes, relative to this file."},
        "profiles": profiles | {"description": "Settings by name; the first profile whose data is there runs."},
    }


def _allow_matrices(methods: Schema, definitions: Schema) -> None:
    """Let each item of `methods` be a method or a matrix of methods."""
    method = methods["items"]
    base = _Partial(definitions).of(method)
    methods["items"] = {"anyOf": [method, {"$ref": _DEFS + "MatrixItem"}]}
    placeholders = "{dotted.path} stands for the method's value there."
    matrix = {
        "type": "object",
        "description": "One method per combination of varied values.",
        "properties": {
            "base": base | {"description": "What all these methods have in common."},
            "vary": {
                "type": "object",
                "description": "Values to try by dotted path; 'path, path' takes lists of values that belong together.",
                "additionalProperties": {"type": "array", "minItems": 1},
                "minProperties": 1,
            },
            "id": {"type": "string", "description": f"Id of each method; {placeholders}"},
            "label": {"type": "string", "description": f"Label of each method; {placeholders}"},
        },
        "required": ["base", "vary", "id"],
        "additionalProperties": False,
    }
    definitions["MatrixItem"] = {
        "type": "object",
        "properties": {"matrix": matrix},
        "required": ["matrix"],
        "additionalProperties": False,
    }


class _Partial:
    """Schemas of parts: no key required, null allowed for every key, the same in nested mappings."""

    def __init__(self, definitions: Schema) -> None:
        self._definitions = definitions

    def of(self, node: Any) -> Any:
        """Return the schema of a part of what `node` describes."""
        if not isinstance(node, dict):
            return node
        part = copy.deepcopy({key: value for key, value in node.items() if key not in ("required", "discriminator")})
        if "$ref" in part:
            part["$ref"] = _DEFS + self._define(part["$ref"].removeprefix(_DEFS))
        for key in ("anyOf", "oneOf", "allOf"):
            if key in part:
                part["allOf" if key == "allOf" else "anyOf"] = [self.of(member) for member in part.pop(key)]
        if "properties" in part:
            part["properties"] = {name: self._optional(value) for name, value in part["properties"].items()}
        if "additionalProperties" in part:
            part["additionalProperties"] = self.of(part["additionalProperties"])
        return part

    def _optional(self, node: Schema) -> Schema:
        described = {key: node[key] for key in ("description", "default") if key in node}
        rest = {key: value for key, value in node.items() if key not in described}
        return described | {"anyOf": [self.of(rest), {"type": "null"}]}

    def _define(self, name: str) -> str:
        new = _PARTIAL + name
        if new not in self._definitions:
            self._definitions[new] = {}  # holds the place of a definition that refers to itself
            self._definitions[new] = self.of(self._definitions[name])
        return new
