"""Members that a schema does not name: how many there must be, which are needed, and that no later one undoes them."""

from __future__ import annotations

import json
from functools import cache
from itertools import permutations, product
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import structgen as sg
from conformance.recogniser import recognises
from structgen.errors import Unsupported
from structgen.grammar import Grammar
from structgen.sources.json_schema import JsonSchema

INTEGERS = {"type": "object", "additionalProperties": {"type": "integer"}}
NOT_ALL_INTEGERS = {"type": "object", "not": INTEGERS}
SCHEMAS: list[dict[str, Any]] = [
    {**INTEGERS, "minProperties": 2},
    {**INTEGERS, "minProperties": 3, "properties": {"a": {"type": "integer"}}},
    {**INTEGERS, "minProperties": 3, "required": ["a"], "maxProperties": 4},
    {"type": "object", "patternProperties": {"^a": True, "b$": {"minimum": 1}}, "minProperties": 2},
    {"type": "object", "not": {"maxProperties": 1}},
    NOT_ALL_INTEGERS,
    {"type": "object", "allOf": [{"not": INTEGERS}, {"not": {"additionalProperties": {"type": "string"}}}]},
    {"type": "object", "not": {"patternProperties": {"^a": {"type": "integer"}}}, "minProperties": 2},
]


def _some(schema: dict[str, Any], **keywords: Any) -> dict[str, Any]:
    """Objects of which some member that no other keyword names is valid under a schema."""
    return {"not": {**keywords, "additionalProperties": {"not": schema}}}


STRING, NUMBER, NULL = {"type": "string"}, {"type": "integer"}, {"type": "null"}
NEEDY: list[dict[str, Any]] = [
    {"type": "object", "allOf": [_some(STRING), _some(NUMBER)]},
    {"type": "object", "allOf": [_some(STRING), _some({"enum": ["x", 1]})]},
    {"type": "object", "allOf": [_some(STRING), _some(NUMBER), _some(NULL)]},
    {"type": "object", "properties": {"a": STRING}, "allOf": [_some(STRING), _some(NUMBER)]},
    {
        "type": "object",
        "properties": {"a": STRING},
        "allOf": [_some(NUMBER, properties={"a": True}), _some(NULL)],
    },
    {
        "type": "object",
        "allOf": [_some(STRING), {"not": {"propertyNames": {"maxLength": 0}}}],
        "minProperties": 2,
    },
    {"type": "object", "allOf": [{"not": {"propertyNames": {"pattern": "^a"}}}, _some(NUMBER)]},
    {"type": "object", "allOf": [_some(STRING), _some(NUMBER)], "maxProperties": 2},
    {"type": "object", "allOf": [{"not": {"patternProperties": {"^b": NUMBER}}}, _some(NUMBER)]},
]
KEYS = st.sampled_from(["a", "b", "ab", "ax", "bb", "xa", ""])
MEMBERS = st.lists(st.tuples(KEYS, st.sampled_from([0, 1, 2, "a", None])), max_size=5)


def _text(members: Any) -> str:
    return "{" + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in members) + "}"


@cache
def _lowered(schema: str, order: Any) -> Grammar:
    """The grammar of a schema, given as JSON: one for all texts that it reads."""
    return JsonSchema(json.loads(schema), additional="open", order=order).lower()


def _accepts(schema: dict[str, Any], text: str, order: str = "declared") -> bool:
    return recognises(_lowered(json.dumps(schema), order), text)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SCHEMAS), MEMBERS)
def test_what_is_accepted_is_valid_though_keys_may_be_repeated(schema: Any, members: Any):
    text = _text(members)
    if _accepts(schema, text):
        jsonschema.validate(json.loads(text), schema)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(NEEDY), MEMBERS, st.sampled_from(["declared", "any"]))
def test_what_is_needed_of_some_member_is_not_undone_by_a_repeated_key(schema: Any, members: Any, order: Any):
    text = _text(members)
    if _accepts(schema, text, order):
        jsonschema.validate(json.loads(text), schema)


@pytest.mark.parametrize("order", ["declared", "any"])
@pytest.mark.parametrize("schema", NEEDY, ids=json.dumps)
def test_what_is_needed_may_be_met_by_several_members_or_by_one_in_any_order(schema: Any, order: Any):
    grammar = _lowered(json.dumps(schema), order)
    judge = jsonschema.Draft202012Validator(schema)
    for count in range(4):
        for values in product(["x", 1, None], repeat=count):
            for keys in permutations("abc", count):
                if order == "declared" and "a" in keys[1:] and "properties" in schema:
                    continue  # what is declared comes first
                value = dict(zip(keys, values, strict=True))
                assert recognises(grammar, json.dumps(value)) == judge.is_valid(value), value


def test_a_repeated_key_is_not_counted_twice():
    assert not _accepts(SCHEMAS[0], '{"a": 1, "a": 2}')
    assert _accepts(SCHEMAS[0], '{"a": 1, "b": 2}')
    assert _accepts(SCHEMAS[0], '{"a": 1, "b": 2, "a": 3}')


def test_a_later_member_does_not_undo_one_that_is_needed():
    assert _accepts(NOT_ALL_INTEGERS, '{"b": 1, "a": "x"}')
    assert not _accepts(NOT_ALL_INTEGERS, '{"a": "x", "a": 1}')


@pytest.mark.parametrize("least", [2, 3, 4, 5])
def test_members_count_as_different_where_their_first_or_last_characters_are(least: int):
    schema = {**INTEGERS, "minProperties": least}
    keys = ["a0", "b1", "c2", "d4", "e5"]
    for order in list(permutations(keys[:least]))[:24]:
        assert _accepts(schema, _text((key, 1) for key in order))
        assert not _accepts(schema, _text((key, 1) for key in order[1:]))


def test_very_many_of_them_are_refused():
    with pytest.raises(Unsupported, match="minProperties 9") as refused:
        JsonSchema({**INTEGERS, "minProperties": 9}).lower()
    assert refused.value.pointer == "/minProperties"


@pytest.mark.parametrize("value", [{"a": 2}, {"a": 2, "b": [3]}])
def test_a_member_of_any_value_is_needed_without_telling_kinds_of_keys_apart(value: Any):
    """No later member undoes it, so `not` of an object stays small; white space has states of its own."""
    constraint = sg.compile(JsonSchema({"not": {"const": value}}, additional="open"))
    compact = sg.compile(JsonSchema({"not": {"const": value}}, additional="open", whitespace="compact"))
    assert compact.info().states < 400
    assert constraint.accepts(json.dumps({**value, "c": None}))
    assert constraint.accepts("{}")
    assert not constraint.accepts(json.dumps(value))


@pytest.mark.parametrize(
    ("schema", "closed"),
    [
        ({"type": "object", "properties": {}}, True),
        ({"properties": {}}, True),
        ({"allOf": [{"properties": {}}, {"type": "object"}]}, True),
        ({"type": "object"}, False),
        ({"type": "object", "properties": {}, "additionalProperties": {"type": "integer"}}, False),
    ],
)
def test_an_empty_list_of_properties_declares_none(schema: Any, closed: bool):
    grammar = JsonSchema(schema).lower()
    assert recognises(grammar, "{}")
    assert recognises(grammar, '{"a": 1}') != closed
    assert _accepts(schema, '{"a": 1}')  # where silence allows anything


def test_needs_of_objects_that_exclude_one_another_multiply_only_as_far_as_can_be_followed():
    some = {"type": "object", "not": {"properties": {"c": {"not": {"type": "string", "pattern": "99"}}}}}
    every = {"type": "object", "properties": {"c": {"type": "string", "pattern": "99"}}}
    schema = {"type": "object", "oneOf": [_all_and_some("a", some), _all_and_some("b", every)]}
    constraint = sg.compile(sg.JsonSchema(schema, additional="open"))
    good, bad = {"c": "x99"}, {"c": "x"}
    accepted = 0
    for members in product([None, good, bad, 1], repeat=2):
        value = {key: member for key, member in zip("ab", members, strict=True) if member is not None}
        valid = jsonschema.Draft202012Validator(schema).is_valid(value)
        assert constraint.accepts(json.dumps(value)) == valid
        accepted += valid
    assert accepted


def _all_and_some(letter: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Objects whose members with a letter in their key are valid under a schema, and that have such a member."""
    needed = {"not": {"patternProperties": {letter: {"not": schema}}}}
    return {"allOf": [{"patternProperties": {letter: schema}}, needed]}


def test_kinds_of_long_keys_are_told_apart_only_as_far_as_their_automaton_can_be_repeated():
    """Every kind repeats the automaton of the keys: 25 kinds of 255 letters took half a million edges."""
    keys = {"additionalProperties": False, "patternProperties": {"^[a-z]{1,255}$": {"type": "array"}}}
    lists = {"patternProperties": {"a": {"type": "array", "items": {"type": "integer"}}}}
    schema = {"type": "object", **keys, "not": lists}
    constraint = sg.compile(sg.JsonSchema(schema, additional="open"))
    assert constraint.info().edges < 200_000
    accepted = 0
    for values in product([None, "x", 1, ["x"], [1]], repeat=2):
        value = {"a" * 254 + letter: v for letter, v in zip("ab", values, strict=True) if v is not None}
        if constraint.accepts(json.dumps(value)):
            jsonschema.validate(value, schema)
            accepted += 1
    assert accepted
