"""Calls in pieces: a model of masks settles from token to token, and what has settled is told at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from openai.types.chat import ChatCompletionMessageFunctionToolCall

from minis import CONSTANTS, filler
from structgen.model import Model
from structgen.server import create_app
from structgen.server.answering.telling import Spoken, SpokenCall, calling, in_words
from structgen.sources import Terms
from structgen.sources.tools import Tools
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.noise import Absorbing
from structgen_engine.decoding.options import DecodingOptions
from structgen_mini.constants import Layouts

from .conftest import Client

PARAMETERS = {
    "type": "object",
    "properties": {
        "guests": {"type": "array", "items": {"enum": ["Ann", "Bo"]}, "minItems": 2, "maxItems": 3},
        "note": {"type": "string", "minLength": 6, "maxLength": 20},
        "table": {"type": "integer", "minimum": 1, "maximum": 99},
    },
    "required": ["guests", "note", "table"],
    "additionalProperties": False,
}
BOOK = {"type": "function", "function": {"name": "book", "parameters": PARAMETERS}}
CANCEL = {"type": "function", "function": {"name": "cancel", "parameters": PARAMETERS}}
WRITE = {
    "type": "custom",
    "name": "write",
    "format": {"type": "grammar", "syntax": "regex", "definition": "[ab]{12}"},
}
SAID = [{"role": "user", "content": "Book a table for Ann and Bo"}]


@pytest.fixture(scope="module")
def masked(model: Model) -> Model:
    """A model that settles one or two tokens in each of its steps."""
    size = model.vocabulary.size
    denoiser = RandomDenoiser(Absorbing(size), 64, size + 1, scale=0.1)
    constants = replace(CONSTANTS, layouts=Layouts(canvases=1, growth=2, attempts=1))
    made = filler(denoiser, model.vocabulary, constants=constants)
    return replace(made, decoding=DecodingOptions(steps=24), blocks=4)


@pytest.fixture(scope="module")
def gradual(masked: Model) -> Iterator[Client]:
    app: FastAPI = create_app(masked)
    yield Client(app)
    app.state.service.workers.close()


def chat(**given: Any) -> Any:
    given = {"model": "filler", "messages": SAID, "tools": [BOOK, CANCEL], "tool_choice": "required", **given}
    return lambda client: client.chat.completions.create(**given)


def plain(call: Any) -> tuple[str, str, str]:
    return call.id, call.function.name, call.function.arguments


@pytest.mark.parametrize("parallel", [False, True])
def test_arguments_come_in_pieces_and_are_those_of_the_whole_answer(gradual: Client, parallel: bool):
    pieces = 0
    for seed in range(2):
        given = {"seed": seed, "parallel_tool_calls": parallel}
        whole = gradual(chat(**given)).choices[0].message.tool_calls
        found: dict[int, list[str]] = {}
        for chunk in gradual(chat(**given, stream=True)):
            for delta in chunk.choices[0].delta.tool_calls or ():
                if delta.index not in found:
                    assert delta.index == len(found), "calls begin in their order"
                    found[delta.index] = [delta.id, delta.function.name, ""]
                else:
                    assert delta.index == len(found) - 1, "a call is complete when the next one begins"
                    assert delta.id is None
                    pieces += 1
                found[delta.index][2] += delta.function.arguments
        assert [tuple(call) for call in found.values()] == list(map(plain, whole))
    assert pieces > 6


def test_the_clients_own_reader_of_streams_has_the_calls(gradual: Client):
    given = {"model": "filler", "messages": SAID, "tools": [BOOK, CANCEL], "tool_choice": "required"}
    whole = gradual(lambda one: one.chat.completions.create(**given)).choices[0].message.tool_calls

    async def read(one: Any) -> tuple[int, Any]:
        async with one.chat.completions.stream(**given) as stream:
            deltas = [event async for event in stream if event.type == "tool_calls.function.arguments.delta"]
            return len(deltas), (await stream.get_final_completion()).choices[0].message.tool_calls

    pieces, calls = gradual(read)
    assert pieces > len(calls)
    assert all(isinstance(call, ChatCompletionMessageFunctionToolCall) for call in calls)
    assert list(map(plain, calls)) == list(map(plain, whole))


@pytest.mark.parametrize("tool", [{"type": "function", **BOOK["function"]}, WRITE])
def test_a_response_has_the_same_pieces(gradual: Client, tool: dict[str, Any]):
    given = {"model": "filler", "input": SAID[0]["content"], "tools": [tool], "tool_choice": "required"}
    events = gradual(lambda one: one.responses.create(**given, stream=True))
    (done,) = (one.response for one in events if one.type == "response.completed")
    whole = gradual(lambda one: one.responses.create(**given))
    assert (
        [one.item for one in events if one.type == "response.output_item.done"] == done.output == whole.output
    )
    deltas = [one for one in events if one.type.endswith(".delta")]
    assert len(deltas) > len(done.output)
    for item in done.output:
        told = "".join(one.delta for one in deltas if one.item_id == item.id)
        assert told == (item.input if item.type == "custom_tool_call" else item.arguments)
        begun = next(one.item for one in events if one.type == "response.output_item.added")
        assert begun.call_id == done.output[0].call_id


def test_two_turns_of_a_conversation_share_no_id(gradual: Client):
    first = gradual(chat()).choices[0].message
    result = [{"role": "tool", "tool_call_id": call.id, "content": "it is done"} for call in first.tool_calls]
    said = [*SAID, first.model_dump(exclude_none=True), *result]
    second = gradual(chat(messages=said)).choices[0].message
    several = gradual(chat(n=2)).choices
    ids = [call.id for one in (first, second, several[1].message) for call in one.tool_calls]
    assert len(set(ids)) == len(ids)
    assert several[0].message.tool_calls == first.tool_calls


class TestWhatABeginningSays:
    def test_a_member_that_may_come_again_waits_for_the_end(self):
        loose = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
        tool = {"type": "function", "function": {"name": "f", "parameters": loose}}
        tools = Tools([tool], "required", terms=Terms(additional="open"))
        text = '{"name":"f","arguments":{"a":1,"b":2,"b":3}}'
        assert calling(tools, text) == Spoken(calls=(SpokenCall("f", False, '{"a": 1, '),))

    def test_an_answer_in_words_is_its_text(self):
        tools = Tools([BOOK], "auto")
        assert calling(tools, '{"answer":"caf\\u00e9 \\"x').content == 'café "x'
        assert in_words('{"answer": "yes"}') == Spoken("yes")

    def test_several_calls_are_told_apart(self):
        tools = Tools([BOOK, {"type": "custom", "custom": {"name": "write"}}], "required", True)
        text = '[{"name":"book","arguments":{"guests":["Ann"]}},{"name":"write","arguments":{"input":"a\\nb'
        found = calling(tools, text).calls
        assert found == (
            SpokenCall("book", False, json.dumps({"guests": ["Ann"]})),
            SpokenCall("write", True, "a\nb"),
        )
        assert calling(tools, '[{"name":"bo').calls == ()
