"""Tool lists as people have them compile in every form, and what they say reaches the prompt."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

import material
import structgen as sg
from structgen.generation.prompts import ChatPrompts
from structgen.sources.tools.forms import CALL_FORMS, JSON_FORM

FORMS = [JSON_FORM, *CALL_FORMS]


def specified() -> Iterator[tuple[str, Any, list[Any]]]:
    """The schemas of MaskBench's MCPspec, with instances that are valid."""
    try:
        file = material.find(material.MASKBENCH)
    except material.MissingData:
        return
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["name"].startswith("MCPspec"):
                yield row["name"], row["schema"], [one["data"] for one in row["tests"] if one["valid"]]


SPECIFIED = {name: (schema, data) for name, schema, data in specified()}


@pytest.mark.skipif(not SPECIFIED, reason="MaskBench is not here, and no package has it")
def test_the_messages_of_mcp_are_parameters_in_every_form():
    refused = []
    for name, (schema, _) in SPECIFIED.items():
        for form in FORMS:
            tools = sg.Tools([{"name": "send", "inputSchema": schema}], "required", form=form)
            try:
                tools.lower()
            except sg.StructgenError as error:
                refused.append((name, form, str(error)))
    assert refused == []


@pytest.mark.skipif(not SPECIFIED, reason="MaskBench is not here, and no package has it")
def test_tools_in_the_lists_that_servers_send_can_be_called():
    lists = [one["tools"] for _, data in SPECIFIED.values() for one in data if one.get("tools")]
    assert lists
    for tools in lists:
        constraint = sg.compile(sg.Tools(tools, "required"))
        assert [tool.name for tool in constraint.source.callable] == [tool["name"] for tool in tools]


class Kind(Enum):
    FOOT = "foot"
    CAR = "car"


class Place(BaseModel):
    """A place."""

    street: str
    number: int | None = None
    near: list[Place] = []


@dataclass
class Money:
    amount: Annotated[float, Field(ge=0)]
    currency: str = "EUR"


class Extra(TypedDict, total=False):
    pets: int


def plan(
    start: Place,
    day: date,
    how: Kind = Kind.FOOT,
    pace: Literal["slow", "fast"] | None = None,
    stops: list[Annotated[str, Field(max_length=20)]] | None = None,
    *,
    budget: Money | None = None,
    extra: Extra | None = None,
) -> str:
    """Plan a trip.

    Args:
        start: Where the trip begins.
        day: On which day.
        how: By what means.
        pace: How fast.
        stops: What to see on the way.
        budget: What it may cost.
        extra: Who comes along.
    """
    return f"{start.street} {day:%d} {how.value} {pace} {len(stops or [])} {budget} {extra}"


TRIP = {
    "start": {"street": "Main", "number": 3, "near": [{"street": "High"}]},
    "day": "2026-03-01",
    "how": "car",
    "pace": None,
    "stops": ["a"],
    "budget": {"amount": 12.5},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_function_of_many_types_compiles_in_every_form(form: str):
    assert sg.compile(sg.Tools([plan], "required", form=form)).info().states


def test_a_call_has_the_types_of_the_function_and_runs():
    constraint = sg.compile(sg.Tools([plan], "required"))
    (call,) = constraint.parse(json.dumps({"name": "plan", "arguments": TRIP}))
    assert isinstance(call.arguments["start"].near[0], Place)
    assert call.arguments["day"] == date(2026, 3, 1)
    assert call.run() == "Main 01 car None 1 Money(amount=12.5, currency='EUR') None"


def test_descriptions_reach_the_prompt():
    parameter = {"type": "string", "description": "A town."}
    schema = {"type": "object", "properties": {"town": parameter}}
    said = {"name": "look", "description": "Look up a town."}
    definitions: list[Any] = [
        {"type": "function", "function": {**said, "parameters": schema}},
        {"type": "function", **said, "parameters": schema},
        {**said, "input_schema": schema},
        {**said, "inputSchema": schema},
    ]
    for given in definitions:
        prompt = "".join(ChatPrompts().calls(sg.Tools([given]), "Oslo?"))
        assert "Look up a town." in prompt
        assert "A town." in prompt
    prompt = "".join(ChatPrompts().calls(sg.Tools([plan]), "Oslo?"))
    assert "Plan a trip." in prompt
    for text in ("Where the trip begins.", "By what means.", "How fast.", "Who comes along."):
        assert text in prompt


class Unreadable:
    pass


def unreadable(town: str, place: Unreadable) -> None: ...
def unknown(town: str, place: Nowhere) -> None: ...  # noqa: F821  # pyright: ignore
def untyped(town: str, place) -> None: ...  # pyright: ignore
def any_number(town: str, *place: str) -> None: ...


@pytest.mark.parametrize("function", [unreadable, unknown, untyped, any_number])
def test_a_function_that_cannot_be_a_tool_is_refused_with_its_parameter(function: Any):
    with pytest.raises(
        sg.InvalidSource, match=f"tool '{function.__name__}': .*place.* \\(at /properties/place\\)"
    ):
        sg.Tools([function])
