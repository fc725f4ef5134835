"""oneOf of objects that a required member tells apart: as cheap as anyOf, and never less exact for it."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from structgen import JsonSchema, compile
from structgen.errors import Unsatisfiable
from structgen.sources.json_schema import read

TAGS = ("a", "b", 1, 1.0, True, None)
SCHEMAS = (
    *({"const": tag} for tag in TAGS),
    {"enum": ["a", "b"]},
    {"enum": [1, "b"], "nullable": True},
    {"type": "string"},
    {"$ref": "#/$defs/tag"},
    {"anyOf": [{"const": "a"}, {"const": 1}]},
)
branches = st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.dictionaries(st.sampled_from("kt"), st.sampled_from(SCHEMAS), min_size=1),
        "required": st.sampled_from([[], ["k"], ["t"], ["k", "t"]]),
    }
)
VALUES = [
    value
    for k in ("a", "b", 1, True, None, "c", ...)
    for t in ("a", 1, None, ...)
    for value in [{key: tag for key, tag in (("k", k), ("t", t)) if tag is not ...}]
]


TEXTS = [json.dumps(dict(pairs)) for value in VALUES for pairs in permutations(value.items())]


def accepted(schema: Any) -> list[str]:
    try:
        constraint = compile(JsonSchema(schema, unknown="ignore"))
    except Unsatisfiable:
        return []
    return [text for text in TEXTS if constraint.accepts(text)]


@settings(max_examples=60)
@given(st.lists(branches, min_size=2, max_size=4))
def test_tags_leave_out_only_pairs_that_have_nothing_in_common(alternatives):
    schema = {"$defs": {"tag": {"const": "b"}}, "oneOf": alternatives}
    quick = accepted(schema)
    with pytest.MonkeyPatch.context() as patch:
        every = lambda shapes, _: [[j for j in range(len(shapes)) if j != i] for i in range(len(shapes))]  # noqa: E731
        patch.setattr(read, "rivals", every)
        assert quick == accepted(schema)
    if "nullable" not in json.dumps(alternatives):  # which jsonschema does not know
        validator = jsonschema.Draft202012Validator(schema)
        assert all(validator.is_valid(json.loads(text)) for text in quick)


@pytest.mark.parametrize("draft", ["http://json-schema.org/draft-04/schema#", ""], ids=["draft 4", "latest"])
def test_a_tag_tells_apart_only_where_its_draft_knows_it(draft):
    parts = [
        {"type": "object", "properties": {"k": {"type": "string", "const": tag}}, "required": ["k"]}
        for tag in "ab"
    ]
    schema = {**({"$schema": draft} if draft else {}), "oneOf": parts}
    assert accepted(schema) == ([] if draft else ['{"k": "a"}', '{"k": "b"}'])


def tagged(keyword: str, count: int, **first: Any) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {
            "type": "object",
            "properties": {"kind": {"const": f"k{i}"}, f"v{i}": {"type": "integer"}},
            "required": ["kind"],
        }
        for i in range(count)
    ]
    parts[0]["properties"]["kind"] = first or parts[0]["properties"]["kind"]
    return {keyword: parts}


@pytest.mark.parametrize("first", [{}, {"enum": ["k0", "x"]}], ids=["const", "enum"])
def test_one_of_two_hundred_tagged_objects_is_what_any_of_them_is(first):
    states = {}
    for keyword in ("anyOf", "oneOf"):
        constraint = compile(JsonSchema(tagged(keyword, 200, **first)))
        states[keyword] = constraint.info().byte_states
        assert constraint.accepts('{"kind":"k7","v7":1}')
        assert not constraint.accepts('{"kind":"k7","v8":1}')
    assert states["oneOf"] <= states["anyOf"]


def test_what_two_tags_share_satisfies_neither():
    constraint = compile(JsonSchema(tagged("oneOf", 40, enum=["k0", "k1"])))
    assert constraint.accepts('{"kind":"k0"}')
    assert not constraint.accepts('{"kind":"k1"}')
    assert constraint.accepts('{"kind":"k2"}')
