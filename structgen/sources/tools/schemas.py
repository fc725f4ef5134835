"""The JSON Schemas of calls: a tool's own schema in the place that it has in the schema of all replies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .tool import Tool

_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_VALUES = frozenset({"const", "enum", "default", "example", "examples"})


def call_schema(tool: Tool, at: str = "") -> dict[str, Any]:
    """The JSON Schema of one call of the tool, for the JSON pointer `at` of a larger schema."""
    return {
        "type": "object",
        "properties": {
            "name": {"const": tool.name},
            "arguments": rebased(tool.schema, f"{at}/properties/arguments"),
        },
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def rebased(schema: Any, at: str) -> Any:
    """The schema with its internal references adjusted to its place at the JSON pointer `at` of another schema."""
    if isinstance(schema, list):
        return [rebased(part, at) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {keyword: _rebased_part(keyword, part, at) for keyword, part in schema.items()}


def _rebased_part(keyword: str, part: Any, at: str) -> Any:
    if keyword == "$ref" and isinstance(part, str):
        return f"#{at}{part[1:]}" if part.startswith("#") else part
    if keyword in _NAMED and isinstance(part, Mapping):
        return {name: rebased(one, at) for name, one in part.items()}
    return part if keyword in _VALUES else rebased(part, at)
