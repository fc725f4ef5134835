"""What /openapi.json says of parts that are read by hand, so that their faults can be told in words of our own.

The descriptions are a little narrower than what is taken: whoever follows them is understood.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import WithJsonSchema

Described = dict[str, Any]


def _object(required: tuple[str, ...], **properties: Described) -> Described:
    return {"type": "object", "properties": properties, "required": list(required)}


def _either(*kinds: Described) -> Described:
    return {"anyOf": list(kinds)}


def _list(items: Described) -> Described:
    return {"type": "array", "items": items}


STRING: Described = {"type": "string"}
NULL_ALONE: Described = {"type": "null"}
SOME_WORDS: Described = {"type": "string", "pattern": r"\S"}
SHORT_NAME: Described = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
PART = _object(("type", "text"), type={"enum": ["text", "input_text", "output_text"]}, text=STRING)
SAID_TEXT = _either(STRING, _list(PART))
ASKED = _either(
    SOME_WORDS, {**_list(_object(("type", "text"), type={"const": "text"}, text=SOME_WORDS)), "minItems": 1}
)
FUNCTION = _object(("name", "arguments"), name=STRING, arguments=STRING)
CALL = _object(("id", "type", "function"), id=STRING, type={"const": "function"}, function=FUNCTION)
CALLED = _object(("name",), name=SHORT_NAME, description=STRING, parameters={"type": "object"})
TOOL = _object(("type", "function"), type={"const": "function"}, function=CALLED)
FLAT_TOOL = {
    **CALLED,
    "properties": {"type": {"const": "function"}, **CALLED["properties"]},
    "required": ["type", "name"],
}
HOLDER = _object(("name", "schema"), name=SHORT_NAME, schema={"type": ["object", "boolean"]})
PLAIN_FORM = _object(("type",), type={"enum": ["text", "json_object"]}) | {"additionalProperties": False}
FORM = _object(("type", "json_schema"), type={"const": "json_schema"}, json_schema=HOLDER)
FLAT_FORM = _object(
    ("type", "name", "schema"),
    type={"const": "json_schema"},
    name=SHORT_NAME,
    schema={"type": ["object", "boolean"]},
)
TURN = _object(
    ("role", "content"), role={"enum": ["user", "assistant", "system", "developer"]}, content=SAID_TEXT
)

Text = Annotated[str | list[dict[str, Any]], WithJsonSchema(SAID_TEXT)]
Instructions = Annotated[str | list[dict[str, Any]], WithJsonSchema(ASKED)]
ShortInstructions = Annotated[str, WithJsonSchema(SOME_WORDS)]
Calls = Annotated[list[dict[str, Any]] | None, WithJsonSchema(_either(_list(CALL), NULL_ALONE))]
Items = Annotated[str | list[dict[str, Any]] | None, WithJsonSchema(_either(STRING, _list(TURN), NULL_ALONE))]
Input = Annotated[str | list[dict[str, Any]], WithJsonSchema(_either(STRING, _list(TURN)))]
ChatTools = Annotated[list[dict[str, Any]] | None, WithJsonSchema(_either(_list(TOOL), NULL_ALONE))]
ResponseTools = Annotated[list[dict[str, Any]] | None, WithJsonSchema(_either(_list(FLAT_TOOL), NULL_ALONE))]
ChatForm = Annotated[dict[str, Any] | None, WithJsonSchema(_either(PLAIN_FORM, FORM, NULL_ALONE))]
ResponseForm = Annotated[dict[str, Any] | None, WithJsonSchema(_either(PLAIN_FORM, FLAT_FORM, NULL_ALONE))]

# only an assistant is silent, and calls; a tool answers a call before it
OF_ROLES = _either(
    {"properties": {"role": {"const": "assistant"}}},
    {
        "properties": {
            "role": {"enum": ["developer", "system", "user"]},
            "content": SAID_TEXT,
            "tool_calls": NULL_ALONE,
        },
        "required": ["content"],
    },
    {
        "properties": {
            "role": {"const": "tool"},
            "content": SAID_TEXT,
            "tool_call_id": STRING,
            "tool_calls": NULL_ALONE,
        },
        "required": ["content", "tool_call_id"],
    },
)
