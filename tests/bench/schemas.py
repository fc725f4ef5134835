"""The constraints that benchmarks compile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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


def closed(schema: Any) -> Any:
    """The schema with no undeclared members where it declares some, which is how structgen reads silence."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    parts = {name: closed(part) for name, part in schema.items()}
    named = isinstance(schema.get("properties"), Mapping) and schema["properties"]
    return {"additionalProperties": False, **parts} if named else parts
