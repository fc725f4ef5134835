"""Responses, asked for by OpenAI's own client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from .test_chat import INVOICE, WEATHER, Invoice

FORMAT = {"format": {"type": "json_schema", "name": "invoice", "schema": INVOICE}}
TOOL = {"type": "function", **WEATHER["function"]}
CUSTOM = {
    "type": "custom",
    "name": "write",
    "format": {"type": "grammar", "syntax": "regex", "definition": "[ab]{3}"},
}


def ask(**given: Any) -> Any:
    return lambda client: client.responses.create(
        **{"model": "toy", "input": "Invoice of ACME, paid", **given}
    )


def test_an_answer_satisfies_the_schema(client):
    found = client(ask(text=FORMAT))
    Draft202012Validator(INVOICE).validate(json.loads(found.output_text))
    assert found.status == "completed"
    assert found.usage.output_tokens > 5
    assert found.text.format.type == "json_schema"


def test_a_class_is_parsed(client):
    found = client(lambda one: one.responses.parse(model="toy", input="x", text_format=Invoice))
    assert isinstance(found.output_parsed, Invoice)


def test_nothing_is_answered_with_an_empty_text(client):
    assert client(lambda one: one.responses.create()).output_text == ""


@pytest.mark.parametrize(
    "given",
    [
        {"text": FORMAT},
        {"tools": [TOOL], "tool_choice": "required"},
        {"tools": [CUSTOM], "tool_choice": "required"},
    ],
)
def test_a_stream_ends_with_the_whole_answer(client, given):
    events = client(ask(**given, stream=True))
    assert [one.sequence_number for one in events] == list(range(len(events)))
    assert [one.type for one in events[:2]] == ["response.created", "response.in_progress"]
    (done,) = (one.response for one in events if one.type == "response.completed")
    items = [one.item for one in events if one.type == "response.output_item.done"]
    assert items == done.output
    deltas: dict[str, str] = {}
    for one in events:
        if one.type.endswith(".delta"):
            deltas[one.item_id] = deltas.get(one.item_id, "") + one.delta
    for item in done.output:
        text = {
            "message": lambda item: item.content[0].text,
            "function_call": lambda item: item.arguments,
            "custom_tool_call": lambda item: item.input,
        }[item.type](item)
        assert deltas[item.id] == text


def test_the_parser_of_streams_reads_it(client):
    async def read(one: Any) -> Any:
        async with one.responses.stream(model="toy", input="x", text_format=Invoice) as stream:
            async for _ in stream:
                pass
            return await stream.get_final_response()

    assert isinstance(client(read).output_parsed, Invoice)


def test_custom_tools_take_a_text(client):
    found = client(ask(tools=[CUSTOM], tool_choice={"type": "custom", "name": "write"}))
    (call,) = found.output
    assert call.type == "custom_tool_call"
    assert len(call.input) == 3


def test_results_of_calls_are_read(client):
    call = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city":"Oslo"}'}
    result = {"type": "function_call_output", "call_id": "c1", "output": "rain"}
    said = [{"role": "user", "content": "Weather in Oslo?"}, call, result]
    assert client(ask(input=said, instructions="Be brief.", text=FORMAT)).output_text


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"previous_response_id": "resp_1"}, "/previous_response_id"),
        ({"background": True}, "/background"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "/input/0/type"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "/input/0/content/0/type"),
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}, "/input/0/call_id"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "/text/format/schema"),
        ({"text": FORMAT, "max_output_tokens": 2}, "/max_output_tokens"),
        ({"tools": [{"type": "web_search"}]}, "/tools/0/type"),
        ({"stop": ["x"]}, "/stop"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence_that_says_where(client, given, param):
    found = client.post("/v1/responses", {"input": "x", **given})
    assert found.status_code == 400, found.text
    assert found.json()["error"]["param"] == param
