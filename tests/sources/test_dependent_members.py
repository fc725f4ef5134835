"""Members that depend on others: what jsonschema allows and nothing else, and many pairs as cheap as one."""

from __future__ import annotations

import json
from itertools import permutations, product
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from structgen import JsonSchema, compile
from structgen.errors import Unsatisfiable, Unsupported

KEYS = "abc"
VALUES = [
    {key: value for key, value in zip(KEYS, values, strict=True) if value is not None}
    for values in [*product((None, 1), repeat=len(KEYS)), ("x", None, 1), (1, "x", None)]
]
objects = st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.lists(st.sampled_from(KEYS), unique=True, min_size=2).map(
            lambda keys: {key: {"type": "integer"} for key in keys}
        ),
        "additionalProperties": st.sampled_from([False, {"type": "string"}]),
        "dependentRequired": st.dictionaries(
            st.sampled_from(KEYS), st.lists(st.sampled_from(KEYS), unique=True, max_size=3), max_size=3
        ),
    },
    optional={
        "required": st.lists(st.sampled_from(KEYS), unique=True, max_size=1),
        "minProperties": st.integers(1, 2),
        "maxProperties": st.integers(2, 3),
    },
)
schemas = st.one_of(
    objects,
    st.tuples(objects, objects).map(lambda pair: {"allOf": list(pair)}),
    st.tuples(objects, objects).map(lambda pair: {"oneOf": list(pair)}),
    st.tuples(objects, objects).map(lambda pair: {**pair[0], "not": pair[1]}),
)


@settings(max_examples=30)
@given(st.one_of(st.tuples(schemas, st.just("declared")), st.tuples(objects, st.just("any"))))
def test_dependent_members_are_what_jsonschema_says(drawn):
    schema, order = drawn
    validator = jsonschema.Draft202012Validator(schema)
    try:
        constraint = compile(JsonSchema(schema, order=order))
    except Unsatisfiable:
        assert not any(validator.is_valid(value) for value in VALUES)
        return
    except Unsupported:
        return
    for value in VALUES:
        ways = [constraint.accepts(json.dumps(dict(pairs))) for pairs in permutations(value.items())]
        assert not any(ways) or validator.is_valid(value), value
        if order == "any":
            assert all(ways) or not validator.is_valid(value) or schema.get("minProperties", 0) > 1, value
        elif "allOf" not in schema and "oneOf" not in schema:
            assert any(ways) or not validator.is_valid(value) or schema.get("minProperties", 0) > 1, value


def pairs(count: int, *, apart: bool = False) -> dict[str, Any]:
    sides = [f"{side}{i}" for side in "ab" for i in range(count)]
    if not apart:
        sides = [f"{side}{i}" for i in range(count) for side in "ab"]
    return {
        "type": "object",
        "properties": {key: {"type": "integer"} for key in sides},
        "dependentRequired": {f"a{i}": [f"b{i}"] for i in range(count)},
        "additionalProperties": False,
    }


@pytest.mark.parametrize("turned", [False, True], ids=["forwards", "backwards"])
def test_pairs_side_by_side_take_states_in_proportion(turned):
    states = []
    for count in (10, 20, 40):
        schema = pairs(count)
        if turned:
            schema["properties"] = dict(reversed(schema["properties"].items()))
        constraint = compile(JsonSchema(schema))
        states.append(constraint.info().states)
        assert constraint.accepts('{"b7":1,"a7":2}' if turned else '{"a7":1,"b7":2}')
        assert constraint.accepts('{"b7":1}')
        assert not constraint.accepts('{"a7":1}')
    assert states[2] < 2.5 * states[1] < 6.25 * states[0]


def test_many_members_in_any_order_ask_for_others_too():
    constraint = compile(JsonSchema(pairs(6), order="any"))
    assert constraint.accepts('{"b3":1,"a5":1,"a3":2,"b5":1}')
    assert constraint.accepts('{"b3":1}')
    assert not constraint.accepts('{"b3":1,"a5":1}')
    with pytest.raises(Unsupported, match="more than 64 cases"):
        compile(JsonSchema(pairs(7), order="any"))


def test_pairs_far_apart_are_refused_where_too_many_sets_would_have_to_be_remembered():
    assert compile(JsonSchema(pairs(6, apart=True))).accepts('{"a1":1,"a2":1,"b1":1,"b2":1}')
    with pytest.raises(Unsupported, match="more than 1,000 sets of members") as caught:
        compile(JsonSchema(pairs(15, apart=True)))
    assert caught.value.keyword == "dependentRequired"
