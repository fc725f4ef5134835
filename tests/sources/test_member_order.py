"""Members in any order: every permutation of a valid value is accepted and nothing else, however members may go on."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from functools import cache
from itertools import permutations
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import structgen as sg
from conformance.fuzz import outcome
from conformance.recogniser import recognises
from structgen.automata.pushdown.automaton import Pushdown, accepts, pushdown
from structgen.cli import main
from structgen.errors import InvalidSource, Unsupported
from structgen.generation.options import Options
from structgen.grammar import Grammar
from structgen.model import Model
from structgen.models.embedded import OutlinePrompts
from structgen.sources.json_schema import JsonSchema, write_objects
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.noise import Uniform
from structgen_mini import mini_folder
from writing import generate

PERSON: dict[str, Any] = {
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "pet": {"type": "null"},
        "tall": {"type": "boolean"},
    },
    "required": ["age", "tall"],
    "additionalProperties": False,
}
TREE: dict[str, Any] = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "left": {"$ref": "#/$defs/node"},
                "value": {"type": "integer"},
                "right": {"$ref": "#/$defs/node"},
            },
            "required": ["value"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}
SCHEMAS: list[dict[str, Any]] = [
    PERSON,
    {**PERSON, "additionalProperties": {"type": "integer"}, "maxProperties": 3},
    {**PERSON, "patternProperties": {"^n": {"minLength": 1}, "^x": {"type": "null"}}, "minProperties": 4},
    {**PERSON, "dependentRequired": {"name": ["pet"]}},
    {"oneOf": [PERSON, {"required": ["name"], "properties": {"age": {"maximum": 3}}}]},
    {"const": {"name": "x", "age": 1, "tall": {"name": 2, "pet": [{"age": 1, "x": 2}]}}},
    TREE,
]
KEYS = ["name", "age", "pet", "tall", "x", "xy", "left", "right", "value"]
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, 7, "", "x"]),
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=8,
)


def _shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        return {key: _shuffled(value[key], rng) for key in rng.sample(list(value), len(value))}
    return [_shuffled(item, rng) for item in value] if isinstance(value, list) else value


@cache
def _lowered(schema: str) -> Grammar:
    """The grammar of a schema, given as JSON: one for all texts that it reads."""
    return JsonSchema(json.loads(schema), additional="open", order="any").lower()


def _accepts(schema: dict[str, Any], text: str) -> bool:
    return recognises(_lowered(json.dumps(schema)), text)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SCHEMAS), VALUES, st.randoms(use_true_random=False))
def test_a_value_is_accepted_in_every_order_just_where_it_is_valid(schema: Any, value: Any, rng: Any):
    valid = jsonschema.Draft202012Validator(schema).is_valid(value)
    assert _accepts(schema, json.dumps(_shuffled(value, rng))) == valid


@pytest.mark.parametrize("start", [100_000, 100_100])
def test_random_schemas_accept_all_orders_of_their_values(start: int):
    outcomes = [outcome(seed, values=6, order="any") for seed in range(start, start + 100)]
    assert [o for o in outcomes if o.kind in ("accepts", "rejects", "crash", "slow")] == []
    assert sum(o.kind == "right" for o in outcomes) > 80


def test_each_permutation_of_the_members_that_are_there_is_accepted():
    whole = {"name": "x", "age": 1, "pet": None, "tall": True}
    for count in range(5):
        for keys in permutations(whole, count):
            text = json.dumps({key: whole[key] for key in keys})
            assert _accepts(PERSON, text) == ({"age", "tall"} <= set(keys))


def test_no_member_is_written_twice():
    assert not _accepts(PERSON, '{"age": 1, "tall": true, "age": 2}')
    assert not _accepts(
        {**PERSON, "additionalProperties": True}, '{"age": 1, "x": 0, "age": 2, "tall": true}'
    )


def test_undeclared_members_may_stand_anywhere():
    open_ = {**PERSON, "additionalProperties": {"type": "null"}}
    for keys in permutations(["age", "x", "y", "tall"]):
        members = {"age": 1, "tall": False, "x": None, "y": None}
        assert _accepts(open_, json.dumps({key: members[key] for key in keys}))
    assert not _accepts(open_, '{"x": 1, "age": 1, "tall": true}')


def test_a_tree_may_be_written_in_any_order_at_any_depth():
    text = '{"right": {"value": 1, "left": {"left": {"value": 4}, "value": 3}}, "value": 2}'
    assert sg.compile(JsonSchema(TREE, order="any")).accepts(text)
    assert not sg.compile(JsonSchema(TREE)).accepts(text)
    assert not sg.compile(JsonSchema(TREE, order="any")).accepts(text.replace('"value": 3', '"right": {}'))


def test_the_automaton_accepts_what_the_grammar_does():
    constraint = sg.compile(JsonSchema(PERSON, order="any"))
    assert constraint.info().regime == "expanded"
    for keys in permutations(["pet", "age", "tall"]):
        members = {"pet": None, "age": 1, "tall": True}
        assert constraint.accepts(json.dumps({key: members[key] for key in keys}))
    assert not constraint.accepts('{"pet": null, "age": 1}')


def _many(count: int, required: int, **keywords: Any) -> dict[str, Any]:
    types = [{"type": "integer"}, {"type": "string", "maxLength": 3}, {"type": "null"}]
    properties = {f"k{i}": types[i % 3] for i in range(count)}
    return {"type": "object", "properties": properties, "required": list(properties)[:required], **keywords}


LARGE = [
    _many(12, 12),
    _many(13, 4, additionalProperties={"type": "boolean"}),
    _many(20, 0, additionalProperties=False),
    {**_many(12, 0), "properties": {f"k{i}": {"$ref": "#"} for i in range(12)}},
    _many(40, 40, patternProperties={"^x": {"type": "null"}}),
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(LARGE), st.randoms(use_true_random=False))
def test_objects_of_many_members_are_accepted_in_every_order_just_where_they_are_valid(schema: Any, rng: Any):
    values = {"integer": 7, "string": "x", "null": None}
    value = {key: values.get(part.get("type"), {}) for key, part in schema["properties"].items()}
    for key in rng.sample(list(value), rng.randint(0, 2)):
        del value[key]
    extras = {"": {}, "wrong": {rng.choice(list(value)): True}, "x": {"x1": None}, "more": {"x2": True}}
    value |= extras[rng.choice([*extras, "", ""])]
    valid = jsonschema.Draft202012Validator(schema).is_valid(value)
    assert _accepts(schema, json.dumps(_shuffled(value, rng))) == valid


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SCHEMAS), VALUES, st.randoms(use_true_random=False))
def test_sets_that_are_met_are_those_that_could_be_listed(schema: Any, value: Any, rng: Any):
    text, counted = json.dumps(_shuffled(value, rng)), _counted(json.dumps(schema))
    if counted is not None:
        listed, (grammar, automaton) = _accepts(schema, text), counted
        assert recognises(grammar, text) == listed
        assert accepts(automaton, text.encode()) == listed


@cache
def _counted(schema: str) -> tuple[Grammar, Pushdown] | None:
    """The grammar and the automaton of a schema whose sets of members are met; None if it counts beside the set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write_objects, "MOST_SHUFFLED", 1)
        with suppress(Unsupported):
            grammar = JsonSchema(json.loads(schema), additional="open", order="any").lower()
            return grammar, pushdown(grammar)
    return None


@pytest.mark.parametrize("count", [12, 16, 20, 40])
def test_objects_of_many_members_are_compiled_with_the_tokens_they_need(count: int):
    schema = _many(count, count)
    constraint = sg.compile(JsonSchema(schema, order="any"))
    assert constraint.info().regime == "lazy"
    members = {
        key: {"integer": 1, "null": None}.get(part["type"], "") for key, part in schema["properties"].items()
    }
    text = json.dumps(dict(reversed(members.items())))
    assert constraint.accepts(text)
    assert not constraint.accepts(text.replace('"k0"', '"k1"'))
    assert constraint.min_tokens == len(json.dumps(members, separators=(",", ":")))


def test_a_model_writes_objects_of_many_members_within_the_block():
    schema = _many(12, 12)
    vocabulary = Vocabulary.from_file(mini_folder() / "tokenizer.json")
    denoiser = RandomDenoiser(Uniform(2, vocabulary.size), 128, vocabulary.size, scale=8.0)
    model = Model("random", denoiser, vocabulary, OutlinePrompts())
    constraint = sg.compile(JsonSchema(schema, order="any"), vocabulary)
    orders = set()
    for seed in range(3):
        value = json.loads(generate(model, ("?",), constraint, Options(steps=2, seed=seed)).text)
        jsonschema.validate(value, schema)
        orders.add(tuple(value))
    assert len(orders) > 1


def test_too_many_members_are_refused_with_place_size_and_remedy():
    with pytest.raises(Unsupported, match="70 members in any order: at most 64") as refused:
        JsonSchema({"properties": {"inner": _many(70, 0)}}, order="any").lower()
    assert refused.value.pointer == "/properties/inner/properties"
    assert refused.value.remedy
    assert 'order="declared"' in refused.value.remedy
    JsonSchema({"properties": {"inner": _many(70, 0)}}).lower()


@pytest.mark.parametrize("keywords", [{"minProperties": 4}, {"maxProperties": 4}])
def test_members_that_are_counted_beside_their_set_are_refused_by_that_keyword(keywords: dict[str, int]):
    with pytest.raises(
        Unsupported, match=f"{next(iter(keywords))} beside 12 members in any order: at most 10"
    ):
        JsonSchema(_many(12, 0, **keywords), order="any").lower()
    JsonSchema(
        _many(12, 4, minProperties=4, maxProperties=12, additionalProperties=False), order="any"
    ).lower()


def test_the_order_of_the_schema_is_the_default():
    assert not recognises(JsonSchema(PERSON).lower(), '{"tall": true, "age": 1}')
    with pytest.raises(InvalidSource, match="order is 'declared' or 'any'"):
        JsonSchema(PERSON, order="random")  # pyright: ignore


def test_classes_take_the_order_too():
    class Point(BaseModel):
        x: int
        y: int

    constraint = sg.compile(Point, order="any")
    assert constraint.accepts('{"y": 1, "x": 2}')
    assert constraint.parse('{"y": 1, "x": 2}') == Point(x=2, y=1)
    assert not sg.compile(Point).accepts('{"y": 1, "x": 2}')


def test_the_command_line_has_the_option(tmp_path: Any, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "person.json"
    path.write_text(json.dumps(PERSON))
    states = []
    for order in ("declared", "any"):
        assert main(["compile", str(path), "--order", order, "--json"]) in (0, None)
        states.append(json.loads(capsys.readouterr().out)["states"])
    assert states[0] < states[1]
