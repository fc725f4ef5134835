"""Pydantic's core schemas of sets, tuples and dicts, as JSON schemas of what pydantic reads."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ..json_schema.arrays import ALIKE, MERGED
from ..json_schema.own import QUOTED, TEXT
from .notes import refused
from .scalars import bare, read

CHANGES = ("strip_whitespace", "to_lower", "to_upper")  # what pydantic may do to strings
SCALARS = {"type": ["null", "boolean", "number", "string"]}  # the JSON values that are hashable in Python
UNHASHABLE = ("list", "dict", "set", "deque", "typed-dict", "counter", "ordered-dict", "generator")


class Containers(GenerateJsonSchema):
    """The part of the schema generator for types that hold other values."""

    def set_schema(self, schema: core_schema.SetSchema) -> JsonSchemaValue:
        """The array of a set; its elements must differ if they have few values or if the set needs several."""
        return self._merged(_hashed(super().set_schema(schema), schema.get("items_schema")), schema)

    def frozenset_schema(self, schema: core_schema.FrozenSetSchema) -> JsonSchemaValue:
        """The same for frozen sets."""
        return self._merged(_hashed(super().frozenset_schema(schema), schema.get("items_schema")), schema)

    def _merged(
        self, result: JsonSchemaValue, schema: core_schema.SetSchema | core_schema.FrozenSetSchema
    ) -> JsonSchemaValue:
        """The array, with a decision about uniqueItems: pydantic reads any array and makes a set of it."""
        if "uniqueItems" not in result:
            return result
        return {
            **result,
            MERGED: ALIKE if self._alike(schema.get("items_schema"), result.get("items", {})) else True,
        }

    def _alike(self, core: Any, schema: JsonSchemaValue) -> bool:
        """Whether only equal JSON makes equal elements: integers, and strings that pydantic does not change."""
        kind, config = core and core["type"], self._config.config_dict
        changed = (
            any(core.get(name, config.get(f"str_{name}")) for name in CHANGES) if kind == "str" else False
        )
        plain = schema.get("type") in ("integer", "string") and not (schema.keys() & {QUOTED, TEXT})
        return kind in ("int", "str") and plain and not changed

    def tuple_schema(self, schema: core_schema.TupleSchema) -> JsonSchemaValue:
        """Tuples; a part of variable length is supported only at the end."""
        if schema.get("variadic_item_index", len(schema["items_schema"])) + 1 < len(schema["items_schema"]):
            return refused("a tuple of any length with elements behind", "put the variable part last")
        return super().tuple_schema(schema)

    def _common_dict_schema(self, schema: Any) -> JsonSchemaValue:
        """Objects whose keys are strings that pydantic reads as values of the key type."""
        result: JsonSchemaValue = {"type": "object"}
        result["additionalProperties"] = (
            self.generate_inner(schema["values_schema"]) if "values_schema" in schema else True
        )
        keys = self._keys(schema["keys_schema"]) if "keys_schema" in schema else {}
        if keys not in ({}, {"type": "string"}):
            result["propertyNames"] = keys
        self.update_with_validations(result, schema, self.ValidationsMapping.object)
        return result

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """The same for versions of pydantic that ask here."""
        return self._common_dict_schema(schema)

    def _keys(self, core: Any) -> JsonSchemaValue | bool:
        """The schema of the keys, which are always strings."""
        return self._as_key(self.generate_inner(core), core)

    def _as_key(self, schema: JsonSchemaValue, core: Any) -> JsonSchemaValue | bool:
        schema = {key: value for key, value in self.resolve_ref_schema(schema).items() if key != "title"}
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                parts = [self._as_key(part, core) for part in schema[keyword]]
                return {"anyOf": [part for part in parts if part is not False]} if any(parts) else False
        if "enum" in schema or "const" in schema:
            values = schema.get("enum", [schema.get("const")])
            texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
            read = [text for text in texts if self._is_key(text, core)]
            return {"type": "string", "enum": read} if read else False
        kind = schema.get("type")
        if isinstance(kind, list):
            return self._as_key({"anyOf": [{**schema, "type": one} for one in kind]}, core)
        if kind in ("integer", "number", "boolean"):
            return {"type": "string", TEXT: {key: value for key, value in schema.items() if key != QUOTED}}
        return False if kind in ("null", "array", "object") else schema

    def _is_key(self, text: str, core: Any) -> bool:
        """Whether pydantic reads a key as a value of the core schema; used only for constants."""
        return bool(read({"type": "dict", "keys_schema": bare(core)}, [{text: None}]))


def _hashed(result: JsonSchemaValue, core: Any) -> JsonSchemaValue:
    """The schema of a set, with its elements limited to hashable values."""
    if core is None or core["type"] == "any":
        return {**result, "items": SCALARS}
    if core["type"] in UNHASHABLE or getattr(core.get("cls"), "__hash__", True) is None:
        return {
            **result,
            "items": refused("these values cannot be elements of a set", "use a list, or a frozen class"),
        }
    return result
