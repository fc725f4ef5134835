"""The outlines of the plain schemas that the generator draws.

Training knows nothing of the library that reads JSON Schema in full; a test holds the two to the same outlines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from structgen_mini.outline import FORMATS, Field, Outline


def outline_of(schema: Mapping[str, Any] | bool) -> Outline:
    """The outline of a plain schema; a reference into itself becomes `any`."""
    return _read(schema, schema if isinstance(schema, Mapping) else {}, ())


def _read(schema: Mapping[str, Any] | bool, root: Mapping[str, Any], above: tuple[str, ...]) -> Outline:
    if isinstance(schema, bool):
        return Outline("any")
    if "$ref" in schema:
        return _referred(schema["$ref"], root, above)
    if "const" in schema:
        return Outline("const", options=(schema["const"],))
    if "enum" in schema:
        return _enum(tuple(schema["enum"]))
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return _union([_read(option, root, above) for option in schema[keyword]])
    if len(schema.get("allOf", ())) == 1 and "type" not in schema:
        return _read(schema["allOf"][0], root, above)
    kind = schema.get("type", "object" if "properties" in schema else "any")
    if isinstance(kind, list):
        return _union([_read({**schema, "type": one}, root, above) for one in kind])
    return _typed(kind, schema, root, above)


def _typed(kind: str, schema: Mapping[str, Any], root: Mapping[str, Any], above: tuple[str, ...]) -> Outline:
    if kind == "null":
        return Outline("const", options=(None,))
    if kind == "object":
        required = schema.get("required", ())
        return Outline(
            "object",
            fields=tuple(
                Field(name, _read(part, root, above), name in required)
                for name, part in schema.get("properties", {}).items()
            ),
        )
    if kind == "array":
        item = _read(schema.get("items", True), root, above)
        return Outline("array", item=item, least=schema.get("minItems", 0), most=schema.get("maxItems"))
    if kind == "string" and schema.get("format") in FORMATS:
        return Outline(schema["format"])
    return Outline(kind)


def _referred(reference: str, root: Mapping[str, Any], above: tuple[str, ...]) -> Outline:
    target = _pointed(reference, root) if reference.startswith("#") and reference not in above else None
    return Outline("any") if target is None else _read(target, root, (*above, reference))


def _enum(options: tuple[Any, ...]) -> Outline:
    values = tuple(option for option in options if option is not None)
    return Outline("enum", nullable=len(values) < len(options), options=values)


def _union(options: list[Outline]) -> Outline:
    null = Outline("const", options=(None,))
    kept = tuple(option for option in options if option != null)
    nullable = len(kept) < len(options) or any(option.nullable for option in kept)
    if len(kept) == 1:
        return replace(kept[0], nullable=nullable)
    return Outline("union", nullable=nullable, options=kept)


def _pointed(reference: str, root: Mapping[str, Any]) -> Any:
    """The part of its own document that a reference points at; None if there is no such part."""
    target: Any = root
    for part in unquote(reference.removeprefix("#")).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            target = target[int(key) if isinstance(target, list) else key]
        except (LookupError, TypeError, ValueError):
            return None
    return target
