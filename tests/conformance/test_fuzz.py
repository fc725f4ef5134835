"""Random and hostile schemas: never a crash, never a false acceptance, always an answer in time."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.fuzz import outcome
from conformance.judge import limited
from structgen.errors import StructgenError
from structgen.sources.json_schema import JsonSchema

SCHEMAS = 500


@pytest.mark.parametrize("start", range(0, SCHEMAS, 100))
def test_random_schemas_mean_what_jsonschema_says(start: int):
    outcomes = [outcome(seed, values=8) for seed in range(start, start + 100)]
    assert [o for o in outcomes if o.kind in ("accepts", "rejects", "crash", "slow")] == []
    assert sum(o.kind == "right" for o in outcomes) > 70


def _nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


def _overlapping(count: int) -> list[dict[str, Any]]:
    return [{"properties": {f"p{i}": {"type": "integer"}, f"p{i + 1}": {"minimum": i}}} for i in range(count)]


HOSTILE = {
    "deep": _nested(5000),
    "wide enum": {"enum": [f"value {i * 7919 % 9973} of many" for i in range(10_000)]},
    "enum of numbers": {"enum": list(range(10_000)), "not": {"enum": list(range(0, 10_000, 2))}},
    "catastrophic": {"type": "string", "pattern": "^(a+)+$"},
    "ambiguous": {"type": "string", "pattern": "(a|aa|aaa)*b{1,50}(a|b)*c"},
    "long": {"type": "string", "maxLength": 10**9},
    "many items": {"type": "array", "items": {"type": "null"}, "maxItems": 10**9},
    "circle": {"$ref": "#"},
    "circle of two": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    "circle by allOf": {"allOf": [{"$ref": "#"}]},
    "not itself": {"not": {"$ref": "#"}},
    "large bounds": {"type": "number", "minimum": -1e308, "maximum": 1e308},
    "tiny steps": {"type": "number", "multipleOf": 1e-300},
    "overlapping oneOf": {"oneOf": _overlapping(30)},
    "not of anyOf": {"not": {"anyOf": [{"not": part} for part in _overlapping(30)]}},
    "many patterns": {"patternProperties": {f"a{{{i}}}b*": {"minimum": i} for i in range(1, 60)}},
    "no end": {"properties": {"next": {"$ref": "#"}}, "required": ["next"], "type": "object"},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_schemas_end_in_a_grammar_or_a_refusal(name: str):
    refusals: list[StructgenError] = []
    grammar = None
    with limited(20):
        try:
            grammar = JsonSchema(HOSTILE[name], additional="open").lower()
        except StructgenError as error:
            refusals.append(error)
    assert grammar is not None or all(str(refusal) for refusal in refusals)
