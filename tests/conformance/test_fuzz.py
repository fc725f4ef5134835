"""Random and hostile schemas: never a crash, never a false acceptance, always an answer in time."""

from __future__ import annotations

import mmap
import time
from itertools import count
from typing import Any

import numpy as np
import pytest

from conformance.fuzz import outcome
from conformance.judge import limited
from structgen.compiler.constraint import compile
from structgen.errors import StructgenError
from structgen.limits import budget as limits
from structgen.limits.budget import OverLimit, _resident
from structgen.sources.json_schema import JsonSchema

SCHEMAS = 500
SECONDS = 10.0  # that a hostile schema may take
KERNELS = 40.0  # that numba may take to compile its kernels in a new installation


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


def _members(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    for index in range(depth):
        schema = {"type": "object", "properties": {f"a{index}": schema, "b": {"type": "null"}}}
    return schema


HOSTILE: dict[str, dict[str, Any]] = {
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


HOSTILE |= {
    "deep object": _members(400),
    "long counted": {"type": "array", "items": {"type": "string", "maxLength": 60_000}, "maxItems": 60_000},
    "nested counts": {"type": "string", "pattern": "^((([a-z]{1,99}){1,99}){1,99}){1,99}$"},
    "ambiguous counts": {"type": "string", "pattern": "^(.*a.{60}|.*b.{61}|.*c.{62})$"},
    "free and counted": {"minProperties": 1000, "additionalProperties": {"type": "integer"}},
    "required of many": {"required": [f"k{i}" for i in range(3000)], "minProperties": 3001},
    "unique of many": {"type": "array", "uniqueItems": True, "items": {"enum": list(range(1000))}},
    "unique of free": {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
    "circle of many": {
        "$defs": {f"d{i}": {"items": {"$ref": f"#/$defs/d{(i + 1) % 300}"}} for i in range(300)}
    }
    | {"$ref": "#/$defs/d0"},
    "exclusive": {"exclusiveMinimum": 1e308, "exclusiveMaximum": 1.1e308, "multipleOf": 1e-5},
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


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_schemas_compile_or_are_refused_within_the_limit(name: str):
    refusals: list[StructgenError] = []
    begun, before = time.process_time(), _resident()
    try:
        compile(JsonSchema(HOSTILE[name], additional="open"), seconds=SECONDS)
    except StructgenError as error:
        refusals.append(error)
    assert all(str(refusal) for refusal in refusals)
    assert (
        time.process_time() - begun < 2 * SECONDS + KERNELS
    )  # what runs when time is up is brought to an end
    assert _resident() - before < 2e9


def test_a_schema_that_takes_longer_than_it_may_is_refused_in_one_sentence():
    source = JsonSchema(HOSTILE["not of anyOf"], additional="open")
    with pytest.raises(OverLimit, match=r"longer than 0.001 seconds to compile; .*seconds="):
        compile(source, seconds=0.001)


def test_a_schema_that_needs_more_memory_than_it_may_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
):
    """A process that has freed much gets it back without growing, so here it grows by a megabyte at every look."""
    sizes = count(10**9, 10**6)
    monkeypatch.setattr(limits, "_resident", lambda: next(sizes))
    source = JsonSchema({"type": "string", "pattern": "^(.*a.{9}|.*b.{8})$"})
    with pytest.raises(OverLimit, match=r"more than 0.0001 GB of memory to compile; .*gigabytes="):
        compile(source, gigabytes=0.0001)


def test_memory_that_is_in_use_is_counted():
    """Pages of its own: what numpy asks for may be memory that this process had, and freed, before."""
    before = limits._resident()
    held = mmap.mmap(-1, 50 << 20)
    np.frombuffer(held, np.uint8)[:] = 1
    assert limits._resident() - before > 0.8 * len(held)
