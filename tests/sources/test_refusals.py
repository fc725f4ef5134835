"""What cannot be enforced is refused with keyword, pointer and remedy; what is malformed with its pointer."""

from __future__ import annotations

from typing import Any

import pytest

from structgen.automata import compile_bytes
from structgen.compiler.constraint import compile
from structgen.errors import InvalidSource, Unsupported
from structgen.grammar import Grammar, ref
from structgen.limits.budget import OverLimit
from structgen.sources import json_schema
from structgen.sources.json_schema import JsonSchema, Rules, refusals
from structgen.sources.json_schema.keywords import OBSOLETE
from structgen.sources.json_schema.style import Style
from structgen.sources.regex import Regex


@pytest.mark.parametrize(
    ("schema", "keyword", "pointer"),
    [
        ({"properties": {"a/b": {"requierd": ["a"]}}}, "requierd", "/properties/a~1b/requierd"),
        (
            {"prefixItems": [{}, {"const": 1}], "minItems": 2, "uniqueItems": True},
            "uniqueItems",
            "/uniqueItems",
        ),
        ({"type": "array", "not": {"uniqueItems": True}}, "uniqueItems", "/not/uniqueItems"),
        ({"type": "integer", "multipleOf": 10007}, "multipleOf", "/multipleOf"),
        ({"type": "string", "pattern": r"(a)\1"}, "pattern", "/pattern"),
        ({"type": "string", "pattern": "(?:(?!a.{25}b).)*c"}, "pattern", "/pattern"),
        ({"$ref": "https://example.com/schema"}, "$ref", "/$ref"),
        ({"anyOf": [{"type": "null"}, {"$ref": "#"}]}, "$ref", ""),
        (
            {"type": "object", "additionalProperties": {"type": "null"}, "minProperties": 9},
            "minProperties",
            None,
        ),
    ],
)
def test_a_refusal_names_keyword_pointer_and_remedy(schema: Any, keyword: str | None, pointer: str | None):
    with pytest.raises(Unsupported) as error:
        JsonSchema(schema).lower()
    assert error.value.keyword == keyword
    assert error.value.remedy
    if pointer is not None:
        assert error.value.pointer == pointer


def test_a_refusal_names_everything_that_is_refused():
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "format": "postcode"},
            "b": {"type": "array", "items": {"type": "string"}, "not": {"uniqueItems": True}},
            "c": {"type": "string", "format": "zip-code"},
        },
    }
    found = JsonSchema(schema, unknown="refuse").refusals()
    assert [(error.keyword, error.pointer) for error in found] == [
        ("format", "/properties/a/format"),
        ("uniqueItems", "/properties/b/not/uniqueItems"),
        ("format", "/properties/c/format"),
    ]
    assert all(error.remedy for error in found)
    with pytest.raises(
        Unsupported, match=r"uniqueItems \(at /properties/b/not/uniqueItems\), format \(at /properties/c"
    ):
        JsonSchema(schema, unknown="refuse").lower()
    assert JsonSchema({"type": "string"}).refusals() == []


def test_a_listing_that_is_cut_says_so(monkeypatch: pytest.MonkeyPatch):
    schema = {"type": "array", "items": {"type": "string", "format": "postcode"}, "uniqueItems": True}
    strict = Rules(unknown="refuse")
    *_, last = refusals(schema, Style(), rules=strict, seconds=0.0)
    assert isinstance(last, OverLimit)
    assert "may be more" in str(last)
    assert not any(isinstance(error, OverLimit) for error in refusals(schema, Style(), rules=strict))
    monkeypatch.setattr(json_schema, "PATIENCE", 0.0)
    with pytest.raises(Unsupported, match="perhaps others"):
        JsonSchema(schema, unknown="refuse").lower()


@pytest.mark.parametrize("keyword", sorted(OBSOLETE))
def test_keywords_of_draft_3_are_refused_there_and_annotations_later(keyword: str):
    schema = {"type": "array", "items": {"type": "string", keyword: {}}}
    JsonSchema(schema).lower()
    with pytest.raises(Unsupported) as error:
        JsonSchema({"$schema": "http://json-schema.org/draft-03/schema#", **schema}).lower()
    assert (error.value.keyword, error.value.pointer) == (keyword, f"/items/{keyword}")
    assert error.value.remedy


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "strng"}, "/type"),
        ({"type": []}, "/type"),
        ({"type": ["string", 1]}, "/type/1"),
        ({"type": "object", "properties": []}, "/properties"),
        ({"type": "object", "properties": {"a": 3}}, "/properties/a"),
        ({"type": "object", "required": "a"}, "/required"),
        ({"type": "object", "required": True}, "/required"),
        ({"type": "string", "minLength": "3"}, "/minLength"),
        ({"type": "string", "minLength": -1}, "/minLength"),
        ({"type": "string", "maxLength": 1.5}, "/maxLength"),
        ({"type": "string", "pattern": 3}, "/pattern"),
        ({"type": "string", "pattern": "(a"}, "/pattern"),
        ({"type": "string", "format": None}, "/format"),
        ({"type": "integer", "minimum": "0"}, "/minimum"),
        ({"type": "integer", "minimum": float("nan")}, "/minimum"),
        ({"type": "integer", "multipleOf": 0}, "/multipleOf"),
        ({"enum": []}, "/enum"),
        ({"enum": "ab"}, "/enum"),
        ({"enum": [{1, 2}]}, "/enum/0"),
        ({"const": "\ud800"}, "/const"),
        ({"anyOf": {}}, "/anyOf"),
        ({"allOf": [1]}, "/allOf/0"),
        ({"$ref": "#/$defs/missing"}, "/$ref"),
        ({"$ref": "#missing"}, "/$ref"),
        ({"type": "array", "items": 3}, "/items"),
        ({"type": "array", "items": {}, "minItems": True}, "/minItems"),
        ({"type": "object", "properties": {1: {}}}, "/properties"),
        ({"properties": {"a": {"$id": "x:/y", "items": {"$ref": "#/z"}}}}, "/properties/a/items/$ref"),
    ],
)
def test_a_malformed_schema_is_refused_with_its_pointer(schema: Any, pointer: str):
    with pytest.raises(InvalidSource) as error:
        JsonSchema(schema).lower()
    assert error.value.pointer == pointer
    assert pointer in str(error.value)


def test_annotations_are_never_refused():
    notes = {
        "title": "t",
        "description": "d",
        "default": 1,
        "examples": [1],
        "x-order": 3,
        "deprecated": True,
    }
    JsonSchema(
        {"type": "integer", **notes, "$comment": "c", "$id": "https://example.com/x", "readOnly": True}
    ).lower()


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        ({"whitespace": "loose"}, "whitespace is 'flexible' or 'compact', not 'loose'"),
        ({"additional": "all"}, "additional is 'declared' or 'open', not 'all'"),
        ({"additional": True}, "additional is 'declared' or 'open', not True"),
        ({"unknown": "keep"}, "unknown is 'ignore', 'refuse' or 'annotations', not 'keep'"),
        ({"unknown": ["ignore"]}, "unknown is 'ignore', 'refuse' or 'annotations', not \\['ignore'\\]"),
        ({"order": None}, "order is 'declared' or 'any', not None"),
        ({"resources": ["other.json"]}, "resources maps identifiers to schemas"),
        ({"resources": {"other.json": "{}"}}, "'other.json' is mapped to str"),
    ],
)
@pytest.mark.parametrize("spec", [{"type": "string"}, int])
def test_options_are_checked_wherever_they_are_given(spec: Any, options: Any, allowed: str):
    with pytest.raises(InvalidSource, match=allowed):
        compile(spec, **options)


def test_a_schema_is_an_object_or_a_boolean():
    with pytest.raises(InvalidSource, match="not str"):
        JsonSchema("{}")  # pyright: ignore[reportArgumentType]


def test_only_a_refusal_in_a_schema_names_a_place():
    for error in (InvalidSource("this is wrong"), Unsupported("this is too much", remedy="drop it")):
        assert (error.pointer, "(at" in str(error)) == (None, False)
    assert (
        str(Unsupported("this is too much", pointer="", remedy="drop it"))
        == "this is too much (at /); drop it"
    )
    assert str(InvalidSource("this is wrong", pointer="/a")) == "this is wrong (at /a)"
    with pytest.raises(Unsupported) as of_regex:
        Regex(r"(a)\1").lower()
    with pytest.raises(Unsupported) as of_grammar:
        compile_bytes(Grammar(ref("a"), {"a": ref("a")}))
    for refusal in (of_regex, of_grammar):
        assert refusal.value.pointer is None
        assert "(at" not in str(refusal.value)
