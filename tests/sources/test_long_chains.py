"""Schemas that are long or deep: long ones compile whatever Python's stack is, deep ones are refused in true words."""

from __future__ import annotations

import sys
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from structgen import JsonSchema, compile
from structgen.errors import Unsupported
from structgen.sources.stackless import solved

DEEPEST = 100


def members(count: int, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {f"p{i}": {"type": "integer"} for i in range(count)}, **more}


def nested(depth: int, *, required: bool = False) -> Any:
    """An integer in so many objects: depth + 1 schemas in one another."""
    schema: Any = {"type": "integer"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"] if required else []}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        members(500),
        members(500, additionalProperties={"type": "string"}),
        members(500, required=[f"p{i}" for i in range(500)]),
        members(500, minProperties=3, additionalProperties=False),
        {"type": "array", "items": {"type": "integer"}, "contains": {"const": 3}, "maxItems": 300},
        {"type": "array", "items": {"type": "integer"}, "contains": {"const": 3}, "minContains": 300},
        {"type": "array", "prefixItems": [{"const": i} for i in range(500)], "items": False},
        {"type": "string", "not": {"const": "x" * 1500}},
        members(1, additionalProperties={"type": "string"}, properties={"k" * 1500: {"type": "null"}}),
    ],
    ids=[
        "members",
        "and others",
        "required",
        "some needed",
        "contains",
        "often",
        "prefix",
        "a long string",
        "a long key",
    ],
)
def test_what_is_long_compiles_on_a_short_stack(schema):
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(_open_calls() + 250)
    try:
        text = JsonSchema(schema).lower()
    finally:
        sys.setrecursionlimit(limit)
    assert text.start


def test_two_thousand_optional_members_are_told_apart():
    schema = members(2000)
    constraint, validator = compile(JsonSchema(schema)), jsonschema.Draft202012Validator(schema)
    for value in ({}, {"p0": 1}, {"p0": 1, "p700": 2, "p1999": 3}, {"p1999": 3}):
        assert validator.is_valid(value)
        assert constraint.accepts(str(value).replace("'", '"'))
    assert not constraint.accepts('{"p700":"x"}')
    assert not constraint.accepts('{"p2000":1}')


@pytest.mark.parametrize("required", [False, True], ids=["optional", "required"])
def test_a_hundred_schemas_in_one_another_compile_where_many_calls_are_open(required):
    def deeper(calls: int) -> Any:
        return deeper(calls - 1) if calls else compile(JsonSchema(nested(DEEPEST - 1, required=required)))

    constraint = deeper(150)
    assert constraint.accepts('{"a":' * (DEEPEST - 1) + "1" + "}" * (DEEPEST - 1))


def test_more_in_one_another_are_refused_and_the_limit_is_said():
    with pytest.raises(Unsupported, match="nested too deeply: more than 100 stand in one another") as caught:
        compile(JsonSchema(nested(DEEPEST)))
    assert caught.value.pointer == "/properties/a" * DEEPEST
    with pytest.raises(Unsupported, match="nested too deeply"):
        compile(JsonSchema(nested(10 * DEEPEST)))


@given(st.integers(0, 5), st.integers(0, 5))
def test_a_step_is_taken_once_for_each_key(rows, columns):
    taken = []

    def paths(at: tuple[int, int]):
        taken.append(at)
        row, column = at
        if not row or not column:
            return 1
        return (yield row - 1, column) + (yield row, column - 1)

    def plain(row: int, column: int) -> int:
        return 1 if not row or not column else plain(row - 1, column) + plain(row, column - 1)

    assert solved(paths, (rows, columns)) == plain(rows, columns)
    assert len(taken) == len(set(taken))


def test_recursion_is_as_deep_as_it_has_to_be():
    def length(left: int):
        return 0 if not left else 1 + (yield left - 1)

    assert solved(length, 100_000) == 100_000


def _open_calls() -> int:
    frame, count = sys._getframe(), 0
    while frame:
        frame, count = frame.f_back, count + 1
    return count
