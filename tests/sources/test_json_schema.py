"""A schema accepts the texts of its valid instances and no others: checked against the jsonschema package."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import structgen
from conformance.recogniser import recognises
from structgen.automata import compile_bytes
from structgen.errors import Unsatisfiable
from structgen.grammar import NOTHING
from structgen.sources.json_schema import JsonSchema
from structgen.sources.json_schema.decimals import spell_numbers
from structgen.sources.json_schema.numbers import Numbers
from structgen.sources.languages import contains

# Schemas -------------------------------------------------------------------------------------------------

KEYS = ["a", "b", "ab", 'q"\\', "é", ""]
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, -1.5, 2.0]) | st.sampled_from(KEYS)
)
VALUES = st.recursive(
    SCALARS,
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from(KEYS), v, max_size=3),
    max_leaves=5,
)


def _bounds(low: str, high: str, numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={low: numbers, high: numbers})


def _merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda dicts: {k: v for part in dicts for k, v in part.items()})


_halves = st.integers(-6, 6).map(lambda n: n / 2)
NUMBERS = _merged(
    st.sampled_from([{"type": "integer"}, {"type": "number"}]),
    _bounds("minimum", "maximum", _halves),
    _bounds("exclusiveMinimum", "exclusiveMaximum", _halves),
    st.sampled_from([{}, {}, {"multipleOf": 0.5}, {"multipleOf": 2}]),
)
STRINGS = _merged(
    st.just({"type": "string"}),
    _bounds("minLength", "maxLength", st.integers(0, 3)),
    st.fixed_dictionaries(
        {}, optional={"pattern": st.sampled_from(["a", "^a|b$", "^[ab]*$", '"', "^(?!a)", "é$"])}
    ),
)
LITERALS = st.lists(VALUES, min_size=1, max_size=3).map(lambda v: {"enum": v}) | VALUES.map(
    lambda v: {"const": v}
)
LEAVES = st.one_of(
    NUMBERS,
    STRINGS,
    LITERALS,
    st.sampled_from([{"type": "null"}, {"type": "boolean"}, {"type": ["string", "null"]}]),
)


@st.composite
def _objects(draw: st.DrawFn, inner: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=3, unique=True))
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {key: draw(inner) for key in keys},
        "required": draw(st.lists(st.sampled_from(keys), unique=True)) if keys else [],
        "additionalProperties": draw(st.just(False) | inner),
    }
    if draw(st.integers(0, 3)) == 0:
        schema["patternProperties"] = {"^a": draw(inner)}
    if draw(st.integers(0, 3)) == 0:
        schema["maxProperties"] = draw(st.integers(0, 3))
    if draw(st.integers(0, 3)) == 0:
        schema["minProperties"] = draw(st.integers(0, 1))
    return schema


@st.composite
def _arrays(draw: st.DrawFn, inner: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    schema = {
        "type": "array",
        "items": draw(inner),
        **draw(_bounds("minItems", "maxItems", st.integers(0, 3))),
    }
    if draw(st.booleans()):
        schema["prefixItems"] = draw(st.lists(inner, max_size=2))
    return schema


def _combined(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        _objects(inner),
        _arrays(inner),
        several.map(lambda parts: {"anyOf": parts}),
        several.map(lambda parts: {"allOf": parts}),
    )


def _referring(part: dict[str, Any]) -> dict[str, Any]:
    return {
        "$defs": {"x/y": part},
        "type": ["array", "null"],
        "items": {"$ref": "#/$defs/x~1y", "title": "x"},
    }


_trees = st.recursive(LEAVES, _combined, max_leaves=4)
SCHEMAS = _trees | _trees.map(_referring)


def instance_of(schema: Any) -> st.SearchStrategy[Any]:
    """Values near the schema: its own constants, keys in its order, and anything at all."""
    if not isinstance(schema, dict):
        return VALUES
    options = [*schema.get("enum", []), *([schema["const"]] if "const" in schema else [])]
    near: list[st.SearchStrategy[Any]] = [st.sampled_from(options)] if options else []
    for part in (*schema.get("anyOf", []), *schema.get("allOf", [])):
        near.append(instance_of(part))
    if "$defs" in schema:
        near.append(st.lists(instance_of(schema["$defs"]["x/y"]), max_size=2))
    if schema.get("type") == "array":
        items = instance_of(schema["items"])
        firsts = [instance_of(part) for part in schema.get("prefixItems", [])]
        near.append(st.tuples(st.tuples(*firsts), st.lists(items, max_size=3)).map(lambda t: [*t[0], *t[1]]))
    if schema.get("type") == "object":
        near.append(_members_of(schema))
    if schema.get("type") in ("integer", "number"):
        near.append(st.integers(-8, 8).map(lambda n: n / 2 if n % 2 else n // 2))
    if schema.get("type") == "string":
        near.append(st.text('ab"é\n😀', max_size=4))
    return st.one_of(*near, *near, *near, VALUES)


def _members_of(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    declared = {key: instance_of(part) for key, part in schema["properties"].items()}
    required = {key: declared[key] for key in declared if key in schema["required"]}
    others = {key: part for key, part in declared.items() if key not in required}
    extra = st.dictionaries(st.sampled_from([k for k in KEYS if k not in declared]), VALUES, max_size=2)
    members = st.fixed_dictionaries(required, optional=others)
    return st.tuples(members, extra).map(lambda t: {**{k: t[0][k] for k in declared if k in t[0]}, **t[1]})


def _accepts(schema: Any, **options: Any):
    dfa = compile_bytes(JsonSchema(schema, **options).lower()).dfa()
    return lambda text: dfa.accepts(list(text.encode()))


@given(st.data())
@settings(max_examples=250)
def test_acceptance_is_validity(data: st.DataObject):
    schema = data.draw(SCHEMAS)
    validator = jsonschema.Draft202012Validator(schema)
    accepts = _accepts(schema)
    for value in [data.draw(instance_of(schema)) for _ in range(6)]:
        valid = validator.is_valid(value)
        for indent in (None, 2):
            text = json.dumps(value, ensure_ascii=False, indent=indent)
            accepted = accepts(text)
            assert not accepted or valid, (schema, text)
            if valid and _generated(value, schema):
                assert accepted, (schema, text)


def _generated(value: Any, schema: Any) -> bool:
    """Whether a valid value is one that is generated: members in declared order, integers as such.

    Where schemas are combined, the order of members depends on which of them declares them first.
    """
    text = json.dumps(schema)
    orders = (
        "anyOf" not in text and "allOf" not in text and "$ref" not in text and text.count('"properties"') < 2
    )
    numbers = all(not isinstance(leaf, float) or leaf != int(leaf) for leaf in _leaves(value))
    few_members = not any(isinstance(part, dict) and len(part) > 1 for part in _parts(value))
    return numbers and (few_members or (orders and "patternProperties" not in text and '"enum"' not in text))


def _parts(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(part for item in inner for part in _parts(item))]


def _leaves(value: Any) -> list[Any]:
    return [part for part in _parts(value) if not isinstance(part, dict | list)]


@given(SCHEMAS, st.data())
@settings(max_examples=60)
def test_compact_texts_are_those_without_white_space(schema: dict[str, Any], data: st.DataObject):
    flexible, compact = _accepts(schema), _accepts(schema, whitespace="compact")
    value = data.draw(instance_of(schema))
    dense = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    spaced = json.dumps(value, ensure_ascii=False, indent=1)
    assert compact(dense) == flexible(dense) == flexible(spaced)
    assert not flexible(" " + dense)
    assert not flexible(dense + "\n")  # or a model could fill its budget behind the value
    if spaced != dense:
        assert not compact(spaced)


# Numbers -------------------------------------------------------------------------------------------------

_decimals = st.decimals(-2000, 2000, places=2) | st.integers(-30, 30).map(Decimal)


@given(_decimals | st.none(), _decimals | st.none(), st.booleans(), st.booleans(), st.booleans(), st.data())
@settings(max_examples=400)
def test_bounds_are_exact(
    low: Any, high: Any, low_open: bool, high_open: bool, integer: bool, data: st.DataObject
):
    numbers = Numbers().meet(Numbers(low, high, low_open, high_open, integer))
    if numbers is None or (low is not None and low == high):
        return
    expr = spell_numbers(numbers)
    centre = data.draw(st.sampled_from([b for b in (low, high) if b is not None] or [Decimal(0)]))
    value = centre + data.draw(st.decimals(-20, 20, places=3) | st.just(Decimal(0)))
    value = Decimal(int(value)) if integer else value
    text = format(value, "f") if value else "0"
    above = low is None or (value > low if low_open else value >= low)
    below = high is None or (value < high if high_open else value <= high)
    assert contains(expr, text) == (above and below)


@given(
    st.sampled_from([2, 5, 10, 25, 100, 0.5, 0.25, 0.1, 0.01]),
    st.decimals(-300, 300, places=2),
    st.booleans(),
)
def test_multiples_are_exact(step: float, value: Decimal, bounded: bool):
    schema: dict[str, Any] = {"type": "number", "multipleOf": step}
    if bounded:
        schema |= {"minimum": -100, "maximum": 250.5}
    text = format(value, "f").rstrip("0").rstrip(".") if value else "0"
    inside = not bounded or -100 <= value <= Decimal("250.5")
    assert _accepts(schema)(text) == (value % Decimal(str(step)) == 0 and inside)


@pytest.mark.parametrize("value", [10**30, -(10**400), 12345678901234567890123456789012345])
def test_constants_may_have_any_number_of_digits(value: int):
    for schema in ({"const": value}, {"enum": [1, value]}, {"minimum": value, "maximum": value}):
        grammar = JsonSchema(schema).lower()
        assert recognises(grammar, str(value))
        assert not recognises(grammar, str(value + 1))


def test_bounds_may_be_of_any_size():
    accepts = _accepts({"type": "integer", "minimum": -(10**30), "exclusiveMaximum": 10**25})
    assert accepts(str(10**25 - 1))
    assert not accepts(str(10**25))
    assert accepts(str(-(10**30)))
    assert not accepts(str(-(10**30) - 1))


def test_an_open_bound_is_not_reached_by_rounding():
    accepts = _accepts({"type": "number", "exclusiveMinimum": 0.1, "maximum": 1})
    assert accepts("0.11")
    assert accepts("0.100000000000001")
    assert not accepts("0.1000000000000000000000001")  # a double cannot tell it from 0.1


@pytest.mark.parametrize("text", ["1", "-0.5", "1.5e-07", "2E+10", "0", "-0"])
def test_numbers_without_bounds_have_every_json_spelling(text: str):
    assert _accepts({"type": "number"})(text)


@pytest.mark.parametrize("text", ["01", "1.", ".5", "+1", "1e", "NaN", "Infinity", "1e400", "0x1"])
def test_what_is_no_json_number_or_no_double_is_rejected(text: str):
    assert not _accepts({"type": "number"})(text)


# Strings -------------------------------------------------------------------------------------------------


@given(st.text(max_size=6), st.integers(0, 4), st.integers(0, 4), st.booleans())
def test_length_counts_characters_however_they_are_escaped(text: str, low: int, high: int, ascii_only: bool):
    if any(0xD800 <= ord(c) < 0xE000 for c in text) or low > high:
        return
    accepts = _accepts({"type": "string", "minLength": low, "maxLength": high})
    assert accepts(json.dumps(text, ensure_ascii=ascii_only)) == (low <= len(text) <= high)


@pytest.mark.parametrize(
    "text", [r'"\ud83d"', r'"\ude00"', r'"\ude00\ud83d"', '"\n"', '"\x00"', r'"\x41"', '"', r'"\"']
)
def test_broken_strings_are_rejected(text: str):
    assert not _accepts({"type": "string"})(text)


@pytest.mark.parametrize(
    "text", [r'"\ud83d\ude00"', r'"\u00e9"', r'"\/"', '"é"', '"\x7f"', r'"\u0000"', '""']
)
def test_free_strings_may_use_every_escape(text: str):
    assert _accepts({"type": "string"})(text)


# Objects, unions, references -----------------------------------------------------------------------------


def test_silence_about_members_is_declared_or_open():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    assert not _accepts(schema)('{"a": 1, "b": 2}')
    assert _holds(schema, {"a": 1, "b": [None]}, {"b": 1}, {"a": None}) == [{"a": 1, "b": [None]}, {"b": 1}]


def test_declared_members_of_allof_parts_are_all_declared():
    parts = [{"properties": {key: {"type": "integer"}}, "required": [key]} for key in "ab"]
    accepts = _accepts({"type": "object", "allOf": parts})
    assert accepts('{"a": 1, "b": 2}')
    assert not accepts('{"a": 1}')


def test_members_are_ordered_by_their_declaration_not_by_required():
    accepts = _accepts({"$ref": "#/$defs/a", "required": ["y", "x"], "$defs": {"a": {
        "type": "object", "properties": {"x": {"type": "null"}, "y": {"type": "null"}}}}})  # fmt: skip
    assert accepts('{"x": null, "y": null}')
    assert not accepts('{"y": null, "x": null}')


def test_additional_members_come_last_and_avoid_declared_names():
    accepts = _accepts(
        {
            "type": "object",
            "properties": {"a": {"type": "integer"}},
            "additionalProperties": {"type": "string"},
        }
    )
    assert accepts('{"a": 1, "b": "x", "aa": ""}')
    assert accepts('{"b": "x"}')
    assert not accepts('{"a": "x"}')
    assert not accepts('{"b": "x", "a": "x"}')


def test_property_names_limit_the_keys():
    accepts = _accepts(
        {"type": "object", "propertyNames": {"pattern": "^[a-c]$"}, "additionalProperties": {"type": "null"}}
    )
    assert accepts('{"a": null, "c": null}')
    assert not accepts('{"d": null}')


def test_oneof_is_allowed_where_branches_are_told_apart():
    cat = {
        "type": "object",
        "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}},
        "required": ["kind"],
    }
    dog = {
        "type": "object",
        "properties": {"kind": {"const": "dog"}, "name": {"type": "string"}},
        "required": ["kind"],
    }
    accepts = _accepts({"oneOf": [cat, dog, {"type": "null"}]})
    assert accepts('{"kind": "cat", "lives": 9}')
    assert accepts("null")
    assert not accepts('{"kind": "cat", "name": "x"}')


def test_a_format_says_nothing_about_other_types():
    accepts = _accepts({"type": ["integer", "null"], "format": "int32"})
    assert accepts("3")
    assert not accepts('"abc"')


def test_nullable_is_openapi_and_nothing_elsewhere():
    schema = {"type": "string", "nullable": True}
    assert _accepts(schema)("null")
    assert not _accepts({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})("null")


def test_older_drafts_are_read_as_they_were_meant():
    assert not _accepts({"type": "integer", "minimum": 3, "exclusiveMinimum": True})("3")
    pair = {"type": "array", "items": [{"type": "null"}], "additionalItems": {"type": "boolean"}}
    assert _accepts(pair)("[null, true]")
    assert not _accepts(pair)("[true]")
    hidden = {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {"type": "integer"}}}
    hidden |= {"properties": {"x": {"$ref": "#/definitions/a", "minimum": 5}}, "type": "object"}
    assert _accepts(hidden)('{"x": 1}')


def test_parsing_is_json():
    assert structgen.compile({"type": "array", "items": {"type": "number"}}).parse("[1, 2.5]") == [1, 2.5]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"type": "string", "minLength": 2, "maxLength": 1},
        {"type": "object", "required": ["a"], "additionalProperties": False},
        {"type": "string", "enum": [1]},
        {"type": "array", "items": {"type": "null"}, "prefixItems": [False], "minItems": 1},
        {"type": "string", "pattern": "^a$", "format": "date"},
        False,
    ],
)
def test_contradictions_are_unsatisfiable(schema: Any):
    with pytest.raises(Unsatisfiable):
        structgen.compile(JsonSchema(schema))


def test_twenty_optional_members_stay_small():
    schema = {"type": "object", "properties": {f"field{i}": {"type": "integer"} for i in range(20)}}
    assert len(compile_bytes(JsonSchema(schema).lower()).accepting) < 600


# Boolean combinations ------------------------------------------------------------------------------------


def _holds(schema: Any, *values: Any, **options: Any) -> list[Any]:
    """Those of the values whose text the schema's grammar accepts, recursive schemas included."""
    grammar = JsonSchema(schema, **{"additional": "open", **options}).lower()
    return [value for value in values if recognises(grammar, json.dumps(value))]


SAMPLES = [None, True, 0, 1, 1.5, -2, "", "ab", "abc", [], [1], ["a", 1], {}, {"a": 1}, {"a": "x"}, {"b": 1}]


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {"type": ["integer", "object"]}},
        {"not": {"minimum": 1, "multipleOf": 0.5}},
        {"not": {"minLength": 1, "pattern": "c$"}},
        {"not": {"required": ["a"]}},
        {"not": {"properties": {"a": {"type": "string"}}, "required": ["a"]}},
        {"not": {"additionalProperties": {"type": "string"}}},
        {"not": {"items": {"type": "integer"}}},
        {"not": {"prefixItems": [{"type": "integer"}], "minItems": 1}},
        {"not": {"enum": [1, "ab", {"a": 1}, [1], None]}},
        {"not": {"not": {"type": "string"}}},
        {"oneOf": [{"type": "integer"}, {"minimum": 1}]},
        {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"oneOf": [{"maxLength": 2}, {"minLength": 2}]},
        {"if": {"type": "integer"}, "then": {"minimum": 1}, "else": {"type": "string"}},
        {"if": {"properties": {"a": {"const": 1}}, "required": ["a"]}, "else": {"maxProperties": 0}},
        {"allOf": [{"anyOf": [{"type": "string"}, {"minimum": 1}]}, {"not": {"const": "ab"}}]},
        {"dependentRequired": {"a": ["b"]}},
        {"dependentSchemas": {"a": {"properties": {"a": {"type": "string"}}}}},
        {"contains": {"type": "integer"}},
        {"contains": {"type": "integer"}, "maxContains": 0, "minContains": 0},
        {"contains": {"type": "string"}, "minContains": 2},
        {"items": {"enum": [1, "a"]}, "uniqueItems": True},
        {"properties": {"a": True}, "unevaluatedProperties": False},
        {
            "anyOf": [{"required": ["a"], "properties": {"a": True}}, True],
            "unevaluatedProperties": {"type": "string"},
        },
        {"prefixItems": [True], "unevaluatedItems": {"type": "integer"}},
        {"contains": {"type": "string"}, "unevaluatedItems": False},
        {"$ref": "#/$defs/s", "not": {"const": "ab"}, "$defs": {"s": {"type": "string"}}},
    ],
)
def test_combinations_are_exact(schema: dict[str, Any]):
    validator = jsonschema.Draft202012Validator(schema)
    assert _holds(schema, *SAMPLES) == [value for value in SAMPLES if validator.is_valid(value)]


def test_dependencies_of_older_drafts_are_read():
    draft_7 = {"$schema": "http://json-schema.org/draft-07/schema#"}
    schema = draft_7 | {"dependencies": {"a": ["b"], "b": {"maxProperties": 2}}}
    values = [{"a": 1}, {"a": 1, "b": 2}, {"b": 1, "c": 2}, {"a": 1, "b": 2, "c": 3}]
    assert _holds(schema, *values) == [{"a": 1, "b": 2}, {"b": 1, "c": 2}]


def test_any_value_is_a_rule_that_contains_itself():
    assert _holds({}, *SAMPLES, [[{"a": [None]}]]) == [*SAMPLES, [[{"a": [None]}]]]
    assert _holds({"type": "array"}, [1, [{}]], {}, additional="declared") == [[1, [{}]]]


TREE = {
    "$defs": {"tree": {
        "type": "object",
        "properties": {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]}},
        "required": ["value", "next"],
        "additionalProperties": False,
    }},
    "$ref": "#/$defs/tree",
}  # fmt: skip


def test_a_recursive_schema_becomes_a_rule_and_is_never_unrolled():
    grammar = JsonSchema(TREE).lower()
    assert list(grammar.rules) == ["/$defs/tree"]
    assert _holds(TREE, {"value": 1, "next": {"value": 2, "next": None}}, {"value": 1, "next": {}}) == [
        {"value": 1, "next": {"value": 2, "next": None}}
    ]


def test_the_opposite_of_a_recursive_schema_is_exact():
    deep = {"value": 1, "next": {"value": 2, "next": None}}
    wrong = {"next": {"value": "x", "next": None}, "value": 1}
    assert _holds({"not": {"$ref": "#/$defs/tree"}, "$defs": TREE["$defs"]}, deep, wrong, None) == [
        wrong,
        None,
    ]


def test_a_schema_that_never_ends_holds_nothing():
    endless = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert JsonSchema(endless).lower().start is NOTHING
    impossible = {"properties": {"a": False}, "required": ["a"], "type": "object"}
    assert _holds({"anyOf": [{"type": "null"}, impossible]}, None, {"a": 1}) == [None]


def test_shared_definitions_are_one_rule():
    address = {"type": "object", "properties": {"street": {"type": "string"}}}
    schema = {
        "type": "object",
        "properties": {key: {"$ref": "#/$defs/address"} for key in ("from", "to", "via")},
        "$defs": {"address": address},
    }
    assert list(JsonSchema(schema).lower().rules) == ["/$defs/address"]


def test_dynamic_references_mean_the_outermost_anchor():
    schema = {
        "$id": "https://example.com/strings",
        "$ref": "list",
        "$defs": {
            "item": {"$dynamicAnchor": "item", "type": "string"},
            "list": {
                "$id": "list",
                "type": "array",
                "items": {"$dynamicRef": "#item"},
                "$defs": {"any": {"$dynamicAnchor": "item"}},
            },
        },
    }
    assert _holds(schema, ["a"], [1]) == [["a"]]


def test_references_may_lead_to_other_documents_that_are_given():
    schema = {"type": "array", "items": {"$ref": "https://example.com/whole.json#/$defs/whole"}}
    other = {"https://example.com/whole.json": {"$defs": {"whole": {"type": "integer"}}}}
    assert _holds(schema, [1], [1.5], resources=other) == [[1]]


def test_equality_of_constants_is_that_of_json():
    assert _accepts({"const": 1})("1.0")
    assert _accepts({"enum": [1.0]})("1")
    assert not _accepts({"enum": [1]})("true")
    assert _holds({"const": {"a": [1, None]}}, {"a": [1.0, None]}, {"a": [True, None]}) == [
        {"a": [1.0, None]}
    ]


def test_an_integer_may_be_written_with_a_fraction_of_zero_except_in_draft_4():
    assert _accepts({"type": "integer"})("-1.0")
    assert not _accepts({"type": "integer"})("1.5")
    assert not _accepts({"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer"})("1.0")


@given(st.integers(1, 300), st.integers(-(10**9), 10**9))
@settings(max_examples=60)
def test_any_step_is_told_by_remainders(step: int, value: int):
    expr = spell_numbers(Numbers(step=Fraction(step), integer=True))
    other = spell_numbers(Numbers(integer=True, avoid=frozenset({Fraction(step)})))
    for number in (value, value * step % 10**12):
        assert contains(expr, str(number)) == (number % step == 0)
        assert contains(other, str(number)) == (number % step != 0)


@pytest.mark.parametrize("step", ["6.75", "2.125", "0.3", "9.5"])
def test_steps_with_a_fraction_are_exact(step: str):
    expr = spell_numbers(Numbers(step=Fraction(step)))
    for number in range(-60, 60):
        value = Decimal(number) * Decimal(step) / 2
        assert contains(expr, format(value.normalize(), "f")) == (number % 2 == 0 or not value)
