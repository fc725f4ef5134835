"""Calls of tools through the clients of other people: each sends its own form of the same request to one server."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

import pytest
from pydantic import BaseModel

pytest.importorskip("litellm", reason="`make test-outside` installs the clients")
URL = os.environ.get("STRUCTGEN_URL")
pytestmark = pytest.mark.skipif(URL is None, reason="`make test-outside` starts the server")

BASE, MODEL = f"{URL}/v1", "structgen-mini"
BILL = "Invoice INV-204 from Acme Ltd, total 289.50 EUR"
ASKED = "What is the weather forecast for Oslo?"


class Invoice(BaseModel):
    """An invoice."""

    vendor: str
    total: float


def get_weather(city: str) -> str:
    """The weather forecast for a city.

    Args:
        city: The name of the city.
    """
    return f"It will be cloudy in {city}, with 14 degrees."


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather forecast for a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


def test_instructor_by_a_tool() -> None:
    import instructor
    from openai import OpenAI

    client = instructor.from_openai(OpenAI(base_url=BASE, api_key="any"), mode=instructor.Mode.TOOLS)
    said: Any = [{"role": "user", "content": BILL}]
    found = client.chat.completions.create(model=MODEL, messages=said, response_model=Invoice, max_retries=0)
    assert isinstance(found, Invoice)


@pytest.mark.parametrize("kind", ["NativeOutput", "ToolOutput"])
def test_pydantic_ai_by_a_schema_and_by_a_tool(kind: str) -> None:
    import pydantic_ai

    found = agent(output_type=getattr(pydantic_ai, kind)(Invoice), retries=0).run_sync(BILL).output
    assert isinstance(found, Invoice)


def test_pydantic_ai_by_a_tool_or_an_answer_in_one_turn() -> None:
    import pydantic_ai

    class Forecast(BaseModel):
        city: str
        forecast: str

    asked = agent(output_type=pydantic_ai.NativeOutput(Forecast), tools=[get_weather], retries=0)
    limits = pydantic_ai.UsageLimits(request_limit=4)
    goes_on = contextlib.suppress(
        pydantic_ai.UsageLimitExceeded
    )  # the model knows little, and may call again and again
    with pydantic_ai.capture_run_messages() as messages, goes_on:
        assert isinstance(asked.run_sync(ASKED, usage_limits=limits).output, Forecast)
    parts = [part for message in messages for part in message.parts]
    calls = [part for part in parts if part.part_kind == "tool-call"]
    answers = [part for part in parts if part.part_kind == "text"]
    assert calls or answers
    for call in calls:
        assert call.tool_name == "get_weather"
        assert set(call.args_as_dict()) == {"city"}
    for answer in answers:
        assert set(json.loads(answer.content)) == {"city", "forecast"}


def agent(**given: Any) -> Any:
    """An agent of pydantic-ai whose model is the server's."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    return Agent(OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=BASE, api_key="any")), **given)


def test_langchain_by_a_tool() -> None:
    from langchain_openai import ChatOpenAI

    chat = ChatOpenAI(base_url=BASE, api_key="any", model=MODEL, max_retries=0)  # type: ignore[arg-type]
    (call,) = (
        chat.bind_tools([get_weather], tool_choice="required", parallel_tool_calls=False)
        .invoke(ASKED)
        .tool_calls
    )
    assert (call["name"], set(call["args"])) == ("get_weather", {"city"})
    structured = chat.with_structured_output(Invoice, method="function_calling").invoke(BILL)
    assert isinstance(structured, Invoice)


def test_litellm_by_a_tool() -> None:
    import litellm

    reply: Any = litellm.completion(
        model=f"openai/{MODEL}",
        api_base=BASE,
        api_key="any",
        messages=[{"role": "user", "content": ASKED}],
        tools=[WEATHER],
        tool_choice="required",
        parallel_tool_calls=False,
    )
    (call,) = reply.choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert set(json.loads(call.function.arguments)) == {"city"}
