"""additional="declared": what silence allows is not generated, wherever the schema stands that is silent."""

from __future__ import annotations

import json
from itertools import combinations, permutations, product
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field

import structgen as sg
from conformance.recogniser import recognises
from structgen.grammar import NOTHING, Grammar
from structgen.sources.json_schema import JsonSchema

X: dict[str, Any] = {"type": "object", "properties": {"x": {"type": "integer"}}}
Y: dict[str, Any] = {"type": "object", "properties": {"y": {"type": "string"}}}
KIND_X = {**X, "properties": {**X["properties"], "kind": {"const": "x"}}, "required": ["kind"]}
KIND_Y = {**Y, "properties": {**Y["properties"], "kind": {"const": "y"}}, "required": ["kind"]}

VALUES = [None, True, 0, 2, "", "a", "ab", [], [1]]
VALUES += [
    dict(members)
    for count in range(3)
    for chosen in combinations([("x", 0), ("x", "a"), ("y", "b"), ("y", 1), ("z", None)], count)
    for members in permutations(chosen)
    if len(dict(members)) == count
]

LEAVES = st.sampled_from(
    [
        True,
        {},
        {"type": "integer"},
        {"type": "string"},
        {"minLength": 2},
        {"minimum": 1},
        {"const": 0},
        {"required": ["x"]},
        {"required": ["y"]},
        {"properties": {"x": {"type": "integer"}}},
        {"properties": {"x": {"const": 0}}, "required": ["x"]},
        {"properties": {"y": {"type": "string"}}},
        {"properties": {}},
        {"additionalProperties": {"type": "integer"}},
        {"patternProperties": {"^y": {"type": "string"}}},
        {"type": "object"},
        {"type": "object", "properties": {"x": True}, "additionalProperties": False},
        {"maxProperties": 1},
        {"minProperties": 1},
        {"dependentRequired": {"x": ["y"]}},
    ]
)


def _beside(parts: tuple[Any, Any]) -> Any:
    """The keywords of both in one schema."""
    return parts[1] if any(isinstance(part, bool) for part in parts) else {**parts[0], **parts[1]}


def _combined(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(parts, min_size=1, max_size=3)
    return st.one_of(
        *(several.map(lambda found, word=word: {word: found}) for word in ("allOf", "anyOf", "oneOf")),
        parts.map(lambda part: {"not": part}),
        st.tuples(parts, parts, parts).map(lambda p: {"if": p[0], "then": p[1], "else": p[2]}),
        st.tuples(parts, parts).map(lambda p: {"properties": {"x": p[0]}, "allOf": [p[1]]}),
        st.tuples(LEAVES, parts).map(_beside),
    )


SCHEMAS = st.recursive(LEAVES, _combined, max_leaves=5)


def grammar_of(schema: Any, **options: Any) -> Grammar | None:
    """The grammar of the schema; None if the schema is refused."""
    try:
        return JsonSchema(schema, **options).lower()
    except sg.Unsatisfiable:
        return Grammar(NOTHING, {})
    except sg.Unsupported:
        return None


def accepted(grammar: Grammar) -> set[str]:
    """Which of the values the grammar allows, as they are written."""
    return {text for text in map(json.dumps, VALUES) if recognises(grammar, text)}


@settings(max_examples=300, deadline=None)
@given(SCHEMAS)
def test_what_is_declared_is_allowed_by_json_schema(schema: Any):
    closed, free = grammar_of(schema), grammar_of(schema, additional="open")
    if closed is None:
        return
    texts = accepted(closed)
    for text in texts:
        jsonschema.validate(json.loads(text), schema)
    if free is not None:
        assert texts <= accepted(free)


@settings(max_examples=200, deadline=None)
@given(st.lists(SCHEMAS, min_size=1, max_size=3))
def test_exactly_one_alternative_allows_nothing_that_any_of_them_does_not(parts: list[Any]):
    one, some = grammar_of({"oneOf": parts}), grammar_of({"anyOf": parts})
    if one is not None and some is not None:
        assert accepted(one) <= accepted(some)


@settings(max_examples=200, deadline=None)
@given(SCHEMAS, SCHEMAS)
def test_what_is_excluded_adds_nothing(schema: Any, excluded: Any):
    less, whole = grammar_of({"allOf": [schema], "not": excluded}), grammar_of({"allOf": [schema]})
    if less is not None and whole is not None:
        assert accepted(less) <= accepted(whole)


@settings(max_examples=200, deadline=None)
@given(SCHEMAS, SCHEMAS, SCHEMAS)
def test_a_failed_condition_adds_nothing(schema: Any, condition: Any, other: Any):
    """Where the condition fails the value satisfies `schema` and `other`, and nothing else mentions anything."""
    tried = grammar_of({"allOf": [schema], "if": condition, "then": False, "else": other})
    whole = grammar_of({"allOf": [schema, other]})
    if tried is not None and whole is not None:
        assert accepted(tried) <= accepted(whole)


@pytest.mark.parametrize(
    ("schema", "accepts", "rejects"),
    [
        ({"oneOf": [KIND_X, KIND_Y]}, ['{"x":0,"kind":"x"}', '{"kind":"y"}'], ['{"x":0,"kind":"x","y":false}']),
        ({"anyOf": [X, Y]}, ['{"x":0}', '{"y":"a"}', "{}"], ['{"x":0,"y":false}', '{"x":0,"y":"a"}', '{"z":1}']),
        ({"allOf": [X, Y]}, ['{"x":0,"y":"a"}'], ['{"x":0,"y":false}', '{"x":0,"z":1}']),
        ({**X, "not": {"required": ["y"]}}, ['{"x":0}'], ['{"z":1}', '{"x":0,"y":1}']),
        ({**X, "not": {"properties": {"y": {"type": "string"}}}}, [], ['{"y":1}', '{"x":0,"y":1}']),
        ({"type": "object", "not": {"required": ["y"]}}, ["{}", '{"z":1}'], ['{"y":1}']),
        ({**X, "if": {"properties": {"y": {"const": 1}}, "required": ["y"]}, "then": {"required": ["x"]}},
         ["{}", '{"x":0,"y":1}'], ['{"y":2}', '{"y":1}', '{"x":0,"y":2}', '{"x":0,"z":1}']),
        ({"oneOf": [{"minLength": 2}, {"type": "integer"}]}, ['"ab"'], ['"a"', "null", "1"]),
        ({"oneOf": [False, X]}, ['{"x":0}'], ["1", '{"z":1}']),
        ({**X, "nullable": True}, ['{"x":0}', "null"], ["1"]),
    ],
)  # fmt: skip
def test_it_is_closed_wherever_it_stands(schema: Any, accepts: list[str], rejects: list[str]):
    grammar = grammar_of(schema)
    assert grammar is not None
    for text in accepts:
        assert recognises(grammar, text), text
    for text in rejects:
        assert not recognises(grammar, text), text


def test_alternatives_that_only_undeclared_members_tell_apart_are_unsatisfiable_and_say_so():
    schema = {"oneOf": [X, Y]}  # {"x": 0} satisfies both
    with pytest.raises(sg.Unsatisfiable, match=r'exclude each other .* pass additional="open"'):
        sg.compile(schema)
    assert sg.compile(schema, additional="open").accepts('{"x":0,"y":false}')


class Named(BaseModel):
    """A field that is found under its alias and its name."""

    model_config = ConfigDict(populate_by_name=True)
    x: int = Field(1, alias="X")


class Kept(Named):
    """The same where other members are kept."""

    model_config = ConfigDict(extra="allow")


class Choice(BaseModel):
    """A field that is found under several aliases."""

    x: int = Field(1, validation_alias=AliasChoices("X", "Y", AliasPath("p", 0)))


@pytest.mark.parametrize("type_", [Named, Kept, Choice])
@pytest.mark.parametrize("additional", ["declared", "open"])
def test_open_classes_take_no_member_for_another_one(type_: type[BaseModel], additional: Any):
    constraint = sg.compile(type_, additional=additional)
    assert constraint.accepts('{"X":2}')
    assert constraint.accepts('{"z":[null]}') == (additional == "open" or type_ is Kept)
    for key, value in product(("x", "X", "Y", "p", "z"), (1, "foo", ["foo"], None)):
        text = json.dumps({key: value})
        if constraint.accepts(text):
            type_.model_validate_json(text)
        text = json.dumps({"X": 1, key: value})
        if key != "X" and constraint.accepts(text):
            type_.model_validate_json(text)
