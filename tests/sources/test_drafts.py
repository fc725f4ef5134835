"""Every draft reads its own keywords: what a draft does not know says nothing in it, as jsonschema has it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import jsonschema
import pytest

from conformance.recogniser import recognises
from conformance.suites import DRAFTS
from structgen.errors import Unsupported
from structgen.sources.json_schema import JsonSchema

VALUES: list[Any] = [
    0, 1, 5, "a", "abc", None, [], [1], ["a"], [1, 1], [1, "a"], ["a", 1], {}, {"a": 1}, {"a": "x"}, {"abc": 1},
    {"a": 1, "b": 2}, {"b": 2},
]  # fmt: skip

SCHEMAS: list[Any] = [
    {"const": 1},
    {"contains": {"type": "string"}},
    {"contains": {"const": 1}, "minContains": 2},
    {"contains": {"type": "integer"}, "maxContains": 1},
    {"contains": {"type": "integer"}, "minContains": 0},
    {"propertyNames": {"maxLength": 1}},
    {"if": {"type": "integer"}, "then": {"minimum": 3}, "else": {"type": "string"}},
    {"dependentRequired": {"a": ["b"]}},
    {"dependentSchemas": {"a": {"required": ["b"]}}},
    {"prefixItems": [{"type": "integer"}]},
    {"prefixItems": [{"type": "integer"}], "items": {"type": "string"}},
    {"properties": {"a": True}, "unevaluatedProperties": False},
    {"unevaluatedItems": False},
    {"minimum": 1},
    {"$defs": {"n": {"type": "integer"}}, "allOf": [{"$ref": "#/$defs/n"}]},
    {"definitions": {"n": {"type": "integer"}}, "allOf": [{"$ref": "#/definitions/n"}]},
    {"definitions": {"n": {"type": "integer"}}, "allOf": [{"$ref": "#/definitions/n", "minimum": 3}]},
    {"properties": {"const": {"type": "integer"}, "a": {"type": "integer"}}},
]


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
def test_each_draft_allows_what_jsonschema_allows_in_it(draft: str, schema: dict[str, Any]):
    whole = {"$schema": DRAFTS[draft], **schema}
    judge = jsonschema.validators.validator_for(whole)(whole)
    grammar = JsonSchema(whole, additional="open", unknown="annotations").lower()
    for value in VALUES:
        orders = (
            [dict(p) for p in itertools.permutations(value.items())] if isinstance(value, dict) else [value]
        )
        written = any(recognises(grammar, json.dumps(order)) for order in orders)
        assert written == judge.is_valid(value), value


def test_the_exclusive_keywords_of_draft_4_qualify_the_bounds():
    schema = {"$schema": DRAFTS["4"], "type": "integer", "minimum": 1, "exclusiveMinimum": True}
    grammar = JsonSchema(schema).lower()
    assert [n for n in range(4) if recognises(grammar, str(n))] == [2, 3]


def test_an_identifier_beside_a_reference_does_not_move_the_base_up_to_draft_7():
    schema = {
        "$id": "http://x/base/",
        "definitions": {
            "f": {"$id": "http://x/foo.json", "type": "string"},
            "b": {"$id": "foo.json", "type": "number"},
        },
        "allOf": [{"$id": "http://x/", "$ref": "foo.json"}],
    }
    for draft, beside in (("6", "1"), ("7", "1"), ("2019-09", '"a"'), ("2020-12", '"a"')):
        grammar = JsonSchema({"$schema": DRAFTS[draft], **schema}).lower()
        accepted = [text for text in ("1", '"a"') if recognises(grammar, text)]
        assert accepted == [beside], draft


def test_an_embedded_resource_is_read_in_the_draft_that_it_names():
    inner = {"id": "http://x/inner", "$schema": DRAFTS["4"], "const": 1, "type": "integer"}
    schema = {"$schema": DRAFTS["7"], "definitions": {"i": inner}, "$ref": "http://x/inner"}
    grammar = JsonSchema({"$id": "http://x/outer", **schema}, unknown="annotations").lower()
    assert not recognises(grammar, '"a"')


def test_a_keyword_of_a_later_draft_is_named_where_unknown_keywords_are_refused():
    with pytest.raises(
        Unsupported, match=r"draft 4 has no keyword const.*/properties/a/const.*name the draft"
    ):
        JsonSchema({"$schema": DRAFTS["4"], "properties": {"a": {"const": 1}}}, unknown="refuse").lower()
