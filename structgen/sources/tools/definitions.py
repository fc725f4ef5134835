"""Tool definitions as people have them: dicts of OpenAI's two APIs, of Anthropic's, and of the Model Context Protocol.

    {"type": "function", "function": {"name", "description", "parameters"}}    OpenAI's chat API; or the inner part
    {"type": "function", "name", "description", "parameters"}                  its Responses API
    {"type": "custom", "custom": {"name", "format": {…}}}                      a tool that takes a text; also flat
    {"name", "description", "input_schema"}                                    Anthropic's API, and MCP from 2026-07-28
    {"name", "description", "inputSchema"}                                     MCP up to 2025-11-25

An object with these attributes, such as `mcp.types.Tool`, is read as the dict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from structgen.errors import InvalidSource, Unsupported

SCHEMAS = ("inputSchema", "input_schema")  # of MCP, of Anthropic and later MCP
FUNCTION = frozenset({"type", "name", "description", "parameters", "strict"})
CUSTOM = frozenset({"type", "name", "description", "format"})
OF_MCP = frozenset(
    {"title", "outputSchema", "output_schema", "annotations", "icons", "execution", "meta", "_meta"}
)
OF_ANTHROPIC = frozenset(
    {"cache_control", "defer_loading", "allowed_callers", "input_examples", "eager_input_streaming"}
)
OTHERS = frozenset({"type", "name", "description", "strict"}) | OF_MCP | OF_ANTHROPIC
NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
SILENT = frozenset({"type", "title", "description", "$schema", "$id", "$comment", "default", "examples"})


@dataclass(frozen=True)
class Definition:
    """What a dict says about a tool.

    schema: of its arguments; at: the JSON pointer of the schema in the dict
    format: of the text that a custom tool takes, None for a function
    """

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: NO_PARAMETERS)
    at: str = ""
    format: Mapping[str, Any] | None = None


def is_definition(given: Any) -> bool:
    """Whether this is a dict or an object that describes a tool."""
    return isinstance(given, Mapping) or _schema_attribute(given) is not None


def definition(given: Any, shown: str) -> Definition:
    """The definition in a dict or object. Raises InvalidSource with the JSON pointer of the fault."""
    if not isinstance(given, Mapping):
        attribute = _schema_attribute(given)
        assert attribute is not None
        given = {
            "name": given.name,
            "description": getattr(given, "description", None),
            attribute: getattr(given, attribute),
        }
    kind = given.get("type", "function")
    inside, at = given, ""
    for part in ("function", "custom"):
        if part in given:
            inside, at, kind = given[part], f"/{part}", given.get("type", part)
            break
    if not isinstance(inside, Mapping):
        raise InvalidSource(f"{shown}: a function is an object with a name and parameters", pointer=at)
    schema = next((keyword for keyword in SCHEMAS if keyword in inside), None)
    if kind not in ("function", "custom"):
        raise Unsupported(
            f"{shown} is of type {kind!r:.40}",
            pointer="/type",
            remedy='only "function" and "custom" tools can be called',
        )
    name = inside.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidSource(f"{shown} has no name, which must be a string", pointer=f"{at}/name")
    _check_text(name, name, f"{at}/name")
    description = inside.get("description") or ""
    if not isinstance(description, str):
        raise InvalidSource(f"tool {name!r}: the description must be a string", pointer=f"{at}/description")
    _check_text(description, name, f"{at}/description")
    if schema is not None:
        _check_keys(inside, OTHERS | {schema}, name, at)
        return Definition(
            name, description, _schema(inside[schema], name, f"{at}/{schema}"), f"{at}/{schema}"
        )
    if kind == "custom":
        _check_keys(inside, CUSTOM, name, at)
        return Definition(
            name, description, at=f"{at}/format", format=inside.get("format") or {"type": "text"}
        )
    _check_keys(inside, FUNCTION, name, at)
    return Definition(
        name, description, _schema(inside.get("parameters"), name, f"{at}/parameters"), f"{at}/parameters"
    )


def _schema_attribute(given: Any) -> str | None:
    """The attribute that holds the schema of an object such as `mcp.types.Tool`."""
    if isinstance(given, type) or not isinstance(getattr(given, "name", None), str):
        return None
    return next((name for name in SCHEMAS if isinstance(getattr(given, name, None), Mapping)), None)


def _check_keys(inside: Mapping[str, Any], known: frozenset[str], name: str, at: str) -> None:
    unknown = sorted(map(str, inside.keys() - known))
    if unknown:
        raise InvalidSource(
            f"tool {name!r}: {unknown[0]!r} is no part of a function", pointer=f"{at}/{unknown[0]}"
        )


def _check_text(text: str, name: str, at: str) -> None:
    """Raise InvalidSource if UTF-8 cannot encode the text, or if it has a NUL."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidSource(f"tool {name!a:.60}: this text has a NUL or half a surrogate pair", pointer=at)


def _schema(given: Any, name: str, at: str) -> Mapping[str, Any]:
    """The schema of the arguments: an object without members where none is given."""
    if given is not None and not isinstance(given, dict):
        raise InvalidSource(f"tool {name!r}: the parameters must be a JSON Schema", pointer=at)
    schema = given or NO_PARAMETERS
    if not schema.keys() & {"type", "$ref", "allOf", "anyOf", "oneOf"}:
        schema = {"type": "object", **schema}
    return schema


def names_no_members(schema: Mapping[str, Any]) -> bool:
    """Whether a schema says that arguments are an object, and nothing of its members: a tool without parameters."""
    return schema.get("type") == "object" and schema.keys() <= SILENT
