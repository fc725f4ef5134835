"""A reader of flat schemas, independent of the sources: what the embedded model saw of a schema when it was trained.

It follows references by their pointers and knows no keyword that combines schemas but unions and an allOf of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from structgen.sources.outline import Field, Outline

FORMATS = ("date", "time", "date-time", "email")


def plainly(schema: Any) -> Outline:
    """The outline of a flat schema, without words."""
    return _read(schema, schema, ())


def unsaid(outline: Outline) -> Outline:
    """The outline without words."""
    return replace(
        outline,
        said=(),
        fields=tuple(replace(field, value=unsaid(field.value)) for field in outline.fields),
        item=None if outline.item is None else unsaid(outline.item),
        options=tuple(map(unsaid, outline.options)) if outline.kind == "union" else outline.options,
    )


def words(schema: Any) -> tuple[str, ...]:
    """The words by which a schema without references describes itself."""
    found: list[str] = []
    if isinstance(schema, Mapping):
        for keyword in ("title", "description", "const", "enum"):
            value = schema.get(keyword)
            found += (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))
        for name, part in schema.get("properties", {}).items():
            found += (name, *words(part))
    return tuple(found)


def _read(schema: Any, root: Any, above: tuple[str, ...]) -> Outline:
    if isinstance(schema, bool):
        return Outline("any")
    if "$ref" in schema:
        reference = schema["$ref"]
        if reference in above:
            return Outline("any")
        target = root
        for step in reference.split("/")[1:]:
            target = target[int(step) if isinstance(target, list) else step]
        return _read(target, root, (*above, reference))
    if "const" in schema:
        return Outline("const", options=(schema["const"],))
    if "enum" in schema:
        values = tuple(value for value in schema["enum"] if value is not None)
        return Outline("enum", nullable=None in schema["enum"], options=values)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return _union([_read(option, root, above) for option in schema[keyword]])
    if len(schema.get("allOf", ())) == 1 and "type" not in schema:
        return _read(schema["allOf"][0], root, above)
    kind = schema.get("type", "object" if "properties" in schema else "any")
    if isinstance(kind, list):
        return _union([_read({**schema, "type": one}, root, above) for one in kind])
    return _typed(kind, schema, root, above)


def _typed(kind: str, schema: Any, root: Any, above: tuple[str, ...]) -> Outline:
    if kind == "null":
        return Outline("const", options=(None,))
    if kind == "object":
        required, members = schema.get("required", ()), schema.get("properties", {})
        fields = (Field(name, _read(part, root, above), name in required) for name, part in members.items())
        return Outline("object", fields=tuple(fields))
    if kind == "array":
        item = _read(schema.get("items", True), root, above)
        return Outline("array", item=item, least=schema.get("minItems", 0), most=schema.get("maxItems"))
    return Outline(schema["format"] if kind == "string" and schema.get("format") in FORMATS else kind)


def _union(options: list[Outline]) -> Outline:
    kept = tuple(one for one in options if one.options != (None,))
    nullable = len(kept) < len(options) or any(one.nullable for one in kept)
    return replace(kept[0], nullable=nullable) if len(kept) == 1 else Outline("union", nullable, options=kept)
