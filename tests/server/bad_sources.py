"""Bad requests: schemas, grammars and tools."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .bad import ASKED, CHAT, CHATS, HALF, RESPONSES, Bad


def _schema(schema: Any, **more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, **more}}


SCHEMAS: dict[str, tuple[Any, str]] = {
    "a string": ("x", ""),
    "an array": ([], ""),
    "a number": (1, ""),
    "false": (False, ""),
    "an unknown type": ({"type": "strin"}, "/type"),
    "an unknown type inside": (
        {"type": "object", "properties": {"a/b": {"type": 3}}},
        "/properties/a~1b/type",
    ),
    "a missing definition": ({"$ref": "#/$defs/nope"}, "/$ref"),
    "a reference to a file": ({"$ref": "https://example.com/x.json"}, "/$ref"),
    "a definition that is itself": ({"$ref": "#"}, ""),
    "impossible lengths": ({"type": "string", "minLength": 5, "maxLength": 2}, ""),
    "an enum of nothing": ({"enum": []}, "/enum"),
    "a pattern that is none": ({"type": "string", "pattern": "("}, "/pattern"),
    "a pattern with a reference back": ({"type": "string", "pattern": "(a|b)\\1"}, "/pattern"),
    "a pattern of a million": ({"type": "string", "pattern": "(a{1000}b{1000}){1000}"}, ""),
    "a misspelt keyword": ({"type": "string", "minLenght": 2}, "/minLenght"),
    "a negative length": ({"type": "string", "minLength": -1}, "/minLength"),
    "a length of the wrong type": ({"type": "string", "maxLength": "7"}, "/maxLength"),
    "a huge length": ({"type": "string", "maxLength": 10**12}, ""),
    "a huge number": ({"type": "number", "minimum": 1e308, "maximum": 1e999}, "/maximum"),
    "required of the wrong type": ({"type": "object", "required": "a"}, "/required"),
    "half a pair": ({"enum": [f"a{HALF}"]}, "/enum/0"),
    "half a pair in a name": ({"type": "object", "properties": {HALF: {"type": 3}}}, "/properties/\ufffd"),
    "unique items": (
        {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 10**6},
        "",
    ),
    "nobody can satisfy it": ({"type": "string", "const": 1}, ""),
}


def formats() -> Iterator[Bad]:
    """Bad forms of an answer, which chats and responses read alike."""
    for label, (schema, at) in SCHEMAS.items():
        place = f"/response_format/json_schema/schema{at}"
        yield Bad(f"schema: {label}", CHATS, {**CHAT, "response_format": _schema(schema)}, param=place)
        form = {"type": "json_schema", "name": "x", "schema": schema}
        yield Bad(
            f"schema: {label}",
            RESPONSES,
            {**ASKED, "text": {"format": form}},
            param=f"/text/format/schema{at}",
        )
    for form, at in (
        ("json", ""),
        ({}, "/type"),
        ({"type": "xml"}, "/type"),
        ({"type": 3}, "/type"),
        ({"type": ["text"]}, "/type"),
        ({"type": {}}, "/type"),
        ({"type": "regex", "pattern": "a"}, "/type"),
        ({"type": "json_schema"}, "/json_schema"),
        ({"type": "json_schema", "json_schema": {}}, "/json_schema/name"),
        ({"type": "json_schema", "json_schema": {"name": "x"}}, "/json_schema/schema"),
        ({"type": "json_schema", "json_schema": {"name": "a b", "schema": {}}}, "/json_schema/name"),
        (
            {"type": "json_schema", "json_schema": {"name": "x", "schema": {}, "strikt": True}},
            "/json_schema/strikt",
        ),
        ({"type": "json_object", "schema": {}}, "/schema"),
        ({"type": "text", "format": {}}, "/format"),
        ({"type": "structural_tag"}, ""),
        ({"type": "structural_tag", "format": {"type": "nope"}}, "/format/type"),
        ({"type": "structural_tag", "format": {"type": "tag", "begin": 3}}, "/format/begin"),
    ):
        yield Bad(
            f"response_format {json.dumps(form)}",
            CHATS,
            {**CHAT, "response_format": form},
            param=f"/response_format{at}",
        )
    for given, at in (
        ("regex", ""),
        ({}, ""),
        ({"regex": "a", "choice": ["a"]}, ""),
        ({"nope": "a"}, ""),
        ({"regex": "("}, "/regex"),
        ({"regex": 3}, "/regex"),
        ({"regex": "(a|b)*\\1"}, "/regex"),
        ({"regex": "a{99999999}"}, "/regex"),
        ({"regex": "(" * 5000 + ")" * 5000}, "/regex"),
        ({"regex": HALF}, "/regex"),
        ({"choice": []}, "/choice"),
        ({"choice": "a"}, "/choice"),
        ({"choice": [1]}, "/choice"),
        ({"choice": [""]}, "/choice"),
        ({"grammar": "start: nope"}, "/grammar"),
        ({"grammar": 'root ::= "a" root'}, "/grammar"),
        ({"grammar": 3}, "/grammar"),
        ({"grammar": ""}, "/grammar"),
        ({"json": "{"}, "/json"),
        ({"json_object": "yes"}, "/json_object"),
        ({"structural_tag": "{"}, "/structural_tag"),
    ):
        body = {**CHAT, "structured_outputs": given}
        yield Bad(
            f"structured_outputs {json.dumps(given)[:60]}", CHATS, body, param=f"/structured_outputs{at}"
        )
    both = {"response_format": {"type": "json_object"}, "structured_outputs": {"regex": "a"}}
    yield Bad("two forms", CHATS, {**CHAT, **both}, param="/structured_outputs")
    small = {"response_format": _schema({"type": "string", "minLength": 400}), "max_completion_tokens": 5}
    yield Bad("too small a budget", CHATS, {**CHAT, **small}, param="/max_completion_tokens")


def function(**fields: Any) -> dict[str, Any]:
    """A tool of a chat."""
    return {"type": "function", "function": fields}


NOTED = function(name="note", parameters={"type": "object", "properties": {"text": {"type": "string"}}})


def tools() -> Iterator[Bad]:
    """Bad tools and bad choices among them."""
    for label, given, at in (
        ("of the wrong type", {}, ""),
        ("a string", ["note"], "/0"),
        ("empty", [{}], "/0/name"),
        ("an unknown type", [{"type": "telepathy"}], "/0/type"),
        ("web search", [{"type": "web_search"}], "/0/type"),
        ("no function", [{"type": "function"}], "/0/name"),
        ("no name", [function()], "/0/function/name"),
        ("a name of the wrong type", [function(name=3)], "/0/function/name"),
        ("half a pair", [function(name=HALF)], "/0/function/name"),
        ("twice the same", [NOTED, NOTED], ""),
        ("too many", [function(name=f"f{i}") for i in range(129)], ""),
        ("an unknown field", [{**NOTED, "frobnicate": 1}], "/0/frobnicate"),
        (
            "parameters of an array",
            [function(name="f", parameters={"type": "array"})],
            "/0/function/parameters/type",
        ),
        (
            "bad parameters",
            [function(name="f", parameters={"type": "objekt"})],
            "/0/function/parameters/type",
        ),
        ("parameters as text", [function(name="f", parameters="{}")], "/0/function/parameters"),
        ("a custom one without a name", [{"type": "custom", "custom": {}}], "/0/custom/name"),
        (
            "a custom one with a bad regex",
            [
                {
                    "type": "custom",
                    "custom": {
                        "name": "c",
                        "format": {"type": "grammar", "grammar": {"syntax": "regex", "definition": "("}},
                    },
                }
            ],
            "/0/custom/format/grammar/definition",
        ),
        (
            "a custom one with an unknown syntax",
            [
                {
                    "type": "custom",
                    "custom": {
                        "name": "c",
                        "format": {"type": "grammar", "grammar": {"syntax": "peg", "definition": "a"}},
                    },
                }
            ],
            "/0/custom/format/grammar/syntax",
        ),
    ):
        yield Bad(
            f"tools: {label}", CHATS, {**CHAT, "tools": given, "tool_choice": "required"}, param=f"/tools{at}"
        )
    for label, choice, given in (
        ("required without tools", "required", None),
        ("one without tools", {"type": "function", "function": {"name": "note"}}, None),
        ("required of no tools", "required", []),
        ("an unknown word", "sometimes", [NOTED]),
        ("an empty object", {}, [NOTED]),
        ("an unknown name", {"type": "function", "function": {"name": "nope"}}, [NOTED]),
        ("no name", {"type": "function"}, [NOTED]),
        ("an unknown type", {"type": "telepathy"}, [NOTED]),
        ("a number", 3, [NOTED]),
        ("allowed ones of no list", {"type": "allowed_tools"}, [NOTED]),
        (
            "allowed ones of none",
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
            [NOTED],
        ),
        (
            "allowed ones that are not there",
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [function(name="x")]}},
            [NOTED],
        ),
        (
            "an allowed mode that is none",
            {"type": "allowed_tools", "allowed_tools": {"mode": "x", "tools": [function(name="note")]}},
            [NOTED],
        ),
    ):
        body = {**CHAT, "tools": given, "tool_choice": choice}
        yield Bad(f"tool_choice: {label}", CHATS, body, param="/tool_choice")
    form = {"response_format": {"type": "json_object"}, "tools": [NOTED], "tool_choice": "required"}
    yield Bad("a call and a form", CHATS, {**CHAT, **form}, param="/tool_choice")
    custom = {"tools": [{"type": "custom", "custom": {"name": "c"}}], "stream": True}
    yield Bad("a custom tool in a stream", CHATS, {**CHAT, **custom}, param="/stream")
    flat = {"type": "function", "name": "f", "parameters": {"type": "objekt"}}
    yield Bad("a bad tool", RESPONSES, {**ASKED, "tools": [flat]}, param="/tools/0/parameters/type")
    yield Bad(
        "a tool of OpenAI's own",
        RESPONSES,
        {**ASKED, "tools": [{"type": "file_search"}]},
        param="/tools/0/type",
    )
