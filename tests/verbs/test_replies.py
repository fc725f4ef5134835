"""A reply goes back into the conversation: identifiers, results, messages."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

import structgen as sg
from structgen.generation.prompts import ChatPrompts
from structgen.verbs.call import conversation


class Sum(BaseModel):
    total: Decimal


def add(a: int, b: int) -> Sum:
    """Add two numbers."""
    return Sum(total=Decimal(a + b))


async def wait(seconds: int) -> str:
    """Wait."""
    await asyncio.sleep(0)
    return f"waited {seconds}"


class Clock:
    async def __call__(self) -> str:
        return "noon"


CALLS = [
    {"name": "add", "arguments": {"a": 1, "b": 2}},
    {"name": "wait", "arguments": {"seconds": 0}},
    {"name": "add", "arguments": {"a": 1, "b": 2}},
]


def reply(*calls: Any) -> sg.Reply:
    return sg.Tools([add, wait], parallel=True).parse(json.dumps(calls))


def test_sync_tools_run_and_async_ones_are_awaited():
    assert reply(CALLS[0]).run() == [Sum(total=Decimal(3))]
    assert asyncio.run(reply(*CALLS).arun()) == [Sum(total=Decimal(3)), "waited 0", Sum(total=Decimal(3))]
    with pytest.raises(sg.InvalidOption, match="tool 'wait' is async: await reply"):
        reply(*CALLS).run()
    with pytest.raises(sg.InvalidOption, match="tool 'wait' is async"):
        reply(CALLS[1])[0].run()


def test_calls_have_identifiers_of_their_own():
    calls = reply(*CALLS)
    assert len({call.id for call in calls}) == 3
    assert all(call.id.startswith("call_") and len(call.id) == 29 for call in calls)
    assert [call.id for call in calls] == [call.id for call in reply(*CALLS)]
    again = calls.identified("another turn")
    assert not {call.id for call in calls} & {call.id for call in again}
    assert again == sg.Reply(calls.calls)


def test_messages_are_those_of_openai():
    calls = reply(*CALLS[:2])
    said, *results = calls.messages([Sum(total=Decimal(3)), "done"])
    assert said["role"] == "assistant"
    assert said["tool_calls"][0] == {
        "id": calls[0].id,
        "type": "function",
        "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'},
    }
    assert [(one["role"], one["tool_call_id"]) for one in results] == [("tool", call.id) for call in calls]
    assert [one["content"] for one in results] == ['{"total":"3"}', "done"]
    assert sg.Reply(answer="Hello.").messages() == [{"role": "assistant", "content": "Hello."}]
    with pytest.raises(sg.InvalidOption, match="2 calls need a result each, and 1 are given"):
        calls.messages(["one"])


def test_the_next_turn_reads_the_calls_and_their_results():
    messages: list[Any] = [{"role": "user", "content": "Add 1 and 2."}]
    calls = reply(CALLS[0])
    messages.extend(calls.messages(calls.run()))
    text = conversation(messages)
    assert "user: Add 1 and 2." in text
    assert calls[0].id in text
    assert 'tool: {"total":"3"}' in text
    assert text in "".join(ChatPrompts().calls(sg.Tools([add]), text))


def test_a_call_of_the_model_has_identifiers_of_its_conversation():
    model = sg.load()
    first = model.call("Add 1 and 2.", [add], tool_choice="required", steps=2)
    second = model.call("Add 1 and 2, please.", sg.Tools([add], "required"), steps=2)
    assert first[0].id != second[0].id
    (result,) = first.run()
    assert isinstance(result, Sum)


def get_weather(city: str) -> str:
    """The weather in a city."""
    return city


def book(to: str) -> str:
    """Book a flight."""
    return to


@pytest.mark.parametrize("request_", ["Hello, how are you?", "Tell me a joke."])
def test_an_off_topic_request_gets_an_empty_reply_with_a_warning(request_: str):
    model, tools = sg.load(), [get_weather, book]
    with pytest.warns(sg.AnswerWarning, match="too little in common with any tool's description"):
        assert model.call(request_, tools) == sg.Reply()
    done = model.call(request_, tools, details=True)
    assert (done.value, [warning.kind for warning in done.warnings]) == (sg.Reply(), ["off topic"])
    assert len(model.call(request_, tools, tool_choice="required", steps=2)) == 1
    assert len(model.call("How is the weather in Oslo?", tools, steps=2)) == 1
