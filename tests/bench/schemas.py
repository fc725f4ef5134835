"""The constraints that benchmarks compile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from structgen import Regex

CURRENCIES = ["USD", "EUR", "GBP", "JPY", "CHF"]
CATEGORIES = ["hardware", "software", "service"]

Schema = dict[str, Any]


def record(**properties: Schema) -> Schema:
    """An object that has exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def invoice(text: Schema) -> Schema:
    """The invoice: 15 fields, a nested object and an array of objects; `text` is the schema of its free strings."""
    nullable = {"anyOf": [text, {"type": "null"}]}
    line = record(
        description=text,
        quantity={"type": "integer"},
        unit_price={"type": "number"},
        category={"enum": CATEGORIES},
    )
    return record(
        invoice_number=text,
        vendor=record(name=text, address=text, tax_id=nullable),
        date={"type": "string", "format": "date"},
        currency={"enum": CURRENCIES},
        items={"type": "array", "items": line},
        total={"type": "number"},
        paid={"type": "boolean"},
        notes=nullable,
    )


SCHEMAS: dict[str, Schema] = {
    "flat": record(name={"type": "string"}, age={"type": "integer"}),
    "invoice": invoice({"type": "string"}),
    "maxLength 40": invoice({"type": "string", "maxLength": 40}),
}


def nested(depth: int) -> Schema:
    """Free JSON of at most this many levels, without recursion."""
    scalars: list[Schema] = [{"type": kind} for kind in ("string", "number", "boolean", "null")]
    if not depth:
        return {"anyOf": scalars}
    inner = nested(depth - 1)
    deep = [{"type": "array", "items": inner}, {"type": "object", "additionalProperties": inner}]
    return {"anyOf": [*scalars, *deep]}


def _tagged(number: int) -> Schema:
    return record(kind={"const": f"k{number}"}, **{f"f{number}": {"type": "string"}})


EXPLOSIONS: dict[str, Any] = {
    "free JSON, 4 levels": nested(4),
    "free JSON, 6 levels": nested(6),
    "one of 200 tagged objects": {"oneOf": [_tagged(number) for number in range(200)]},
    "multipleOf 997": {"type": "integer", "multipleOf": 997},
    "(a{1,100}){1,100}": Regex("(a{1,100}){1,100}"),
    "(a|b)*a(a|b){10}": Regex("(a|b)*a(a|b){10}"),
    "strings of at most 400": record(text={"type": "string", "maxLength": 400}),
}


def closed(schema: Any) -> Any:
    """The schema with no undeclared members where it declares some, which is how structgen reads silence."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    parts = {name: closed(part) for name, part in schema.items()}
    named = isinstance(schema.get("properties"), Mapping) and schema["properties"]
    return {"additionalProperties": False, **parts} if named else parts
