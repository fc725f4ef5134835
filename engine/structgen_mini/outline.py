"""The shape of what a JSON Schema asks for, and its one-line text for the prompt of a small model.

vendor:string; status:open|closed; notes:string?; lines:[description:string; quantity:integer]
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

FORMATS = ("date", "time", "date-time", "email")
SCALARS = ("string", "integer", "number", "boolean")


@dataclass(frozen=True)
class Member:
    """One property of an object."""

    name: str
    shape: Shape
    required: bool


@dataclass(frozen=True)
class Shape:
    """What is left of a schema when references are followed and everything but the structure is dropped.

    `kind` is object, array, enum, const, union, any, one of SCALARS or one of FORMATS.
    """

    kind: str
    nullable: bool = False
    members: tuple[Member, ...] = ()
    item: Shape | None = None
    options: tuple[Any, ...] = ()  # values of an enum or const, shapes of a union
    least: int = 0  # minItems
    most: int | None = None  # maxItems


def shape_of(schema: Mapping[str, Any] | bool) -> Shape:
    """The shape of a schema; a reference into itself becomes `any`."""
    return _read(schema, schema if isinstance(schema, Mapping) else {}, ())


def outline(schema: Mapping[str, Any]) -> str:
    """One line naming every field and its type; `?` marks what may be null or absent."""
    shape = shape_of(schema)
    if shape.kind == "object" and not shape.nullable:
        return _members(shape)
    return _text(shape)


def _text(shape: Shape) -> str:
    return _plain(shape) + ("?" if shape.nullable else "")


def _plain(shape: Shape) -> str:
    if shape.kind == "object":
        return "{" + _members(shape) + "}"
    if shape.kind == "array":
        item = shape.item or Shape("any")
        return "[" + (_members(item) if item.kind == "object" and not item.nullable else _text(item)) + "]"
    if shape.kind in ("enum", "const"):
        return "|".join(_word(option) for option in shape.options)
    if shape.kind == "union":
        return "|".join(_text(option) for option in shape.options)
    return shape.kind


def _members(shape: Shape) -> str:
    return "; ".join(
        f"{member.name}:{_text(replace(member.shape, nullable=member.shape.nullable or not member.required))}"
        for member in shape.members
    )


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read(schema: Mapping[str, Any] | bool, root: Mapping[str, Any], above: tuple[str, ...]) -> Shape:
    if isinstance(schema, bool):
        return Shape("any")
    if "$ref" in schema:
        return _follow(schema["$ref"], root, above)
    if "const" in schema:
        return Shape("const", options=(schema["const"],))
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


def _typed(kind: str, schema: Mapping[str, Any], root: Mapping[str, Any], above: tuple[str, ...]) -> Shape:
    if kind == "null":
        return Shape("const", options=(None,))
    if kind == "object":
        required = schema.get("required", ())
        return Shape(
            "object",
            members=tuple(
                Member(name, _read(part, root, above), name in required)
                for name, part in schema.get("properties", {}).items()
            ),
        )
    if kind == "array":
        item = _read(schema.get("items", True), root, above)
        return Shape("array", item=item, least=schema.get("minItems", 0), most=schema.get("maxItems"))
    if kind == "string" and schema.get("format") in FORMATS:
        return Shape(schema["format"])
    return Shape(kind)


def pointed(reference: str, root: Mapping[str, Any]) -> Any:
    """What a reference into its own document points at; None where that is nothing."""
    target: Any = root
    for part in unquote(reference.removeprefix("#")).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            target = target[int(key) if isinstance(target, list) else key]
        except (LookupError, TypeError, ValueError):
            return None
    return target


def _follow(reference: str, root: Mapping[str, Any], above: tuple[str, ...]) -> Shape:
    target = pointed(reference, root) if reference.startswith("#") and reference not in above else None
    return Shape("any") if target is None else _read(target, root, (*above, reference))


def _enum(options: tuple[Any, ...]) -> Shape:
    values = tuple(option for option in options if option is not None)
    return Shape("enum", nullable=len(values) < len(options), options=values)


def _union(options: list[Shape]) -> Shape:
    null = Shape("const", options=(None,))
    kept = tuple(option for option in options if option != null)
    nullable = len(kept) < len(options) or any(option.nullable for option in kept)
    if len(kept) == 1:
        return replace(kept[0], nullable=nullable)
    return Shape("union", nullable=nullable, options=kept)
