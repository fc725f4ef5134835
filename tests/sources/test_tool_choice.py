"""tool_choice as OpenAI's API has it, and how many calls a reply has."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

import structgen as sg
from structgen.sources.tools.choice import ToolChoice, read_choice


def north(steps: int) -> str:
    """Go north."""
    return f"{steps} north"


def south() -> str:
    """Go south."""
    return "south"


CODE = {"type": "custom", "custom": {"name": "code"}}
TOOLS = [north, south, CODE]
NAMES = ["north", "south", "code"]
SOUTH, NORTH = ToolChoice("required", ("south",), named=True), ToolChoice("required", ("north",), named=True)


def allowed(mode: str, *tools: Any) -> dict[str, Any]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(tools)}}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ("any", ToolChoice("required")),
        ("south", SOUTH),
        ({"type": "function", "function": {"name": "south"}}, SOUTH),
        ({"type": "function", "name": "south"}, SOUTH),
        ({"type": "tool", "name": "south"}, SOUTH),
        ({"type": "auto"}, ToolChoice("auto")),
        ({"type": "any"}, ToolChoice("required")),
        ({"type": "custom", "custom": {"name": "code"}}, ToolChoice("required", ("code",), named=True)),
        ({"type": "custom", "name": "code"}, ToolChoice("required", ("code",), named=True)),
        (
            allowed(
                "auto",
                {"type": "function", "function": {"name": "south"}},
                {"type": "custom", "name": "code"},
            ),
            ToolChoice("auto", ("south", "code")),
        ),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "north"}]},
            ToolChoice("required", ("north",)),
        ),
    ],
)
def test_every_spelling_of_a_choice(given: Any, meant: ToolChoice):
    assert read_choice(given, NAMES) == meant
    assert sg.Tools(TOOLS, given).choice == meant


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"^tool_choice must be .*not \{\}$"),
        ("", r"^tool_choice must be one of 'auto', 'required', 'none', 'north', 'south', 'code', not ''$"),
        (3, r"^tool_choice must be .*not 3$"),
        ({"type": "function"}, r"^tool_choice/name must be the name of a tool, and it is missing$"),
        ({"type": "function", "function": {}}, r"^tool_choice/function/name must be the name of a tool"),
        (
            {"type": "function", "function": {"name": "west"}},
            r"^tool_choice/function/name: there is no tool 'west'",
        ),
        ({"type": "web_search"}, r"^tool_choice/type must be"),
        (
            {"type": "allowed_tools"},
            r"^tool_choice/tools must be a list of at least one tool, and it is missing$",
        ),
        (
            allowed("none", "south"),
            r"^tool_choice/allowed_tools/mode must be \"auto\" or \"required\", not 'none'$",
        ),
        (
            allowed("auto", {"name": "west"}),
            r"^tool_choice/allowed_tools/tools/0/name: there is no tool 'west'",
        ),
        ({"type": "allowed_tools", "allowed_tools": 3}, r"^tool_choice/allowed_tools must be an object"),
    ],
)
def test_a_bad_choice_is_one_sentence_with_its_place(given: Any, message: str):
    with pytest.raises(sg.InvalidOption, match=message):
        sg.Tools(TOOLS, given)


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ({}, None),
        ({"parallel": False}, None),
        ({"parallel": True}, (1, 8)),
        ({"distinct": True}, (1, 8)),
        ({"min_calls": 2}, (2, 8)),
        ({"max_calls": 3}, (1, 3)),
        ({"min_calls": 9}, (9, 9)),
        ({"min_calls": 2, "max_calls": 2, "parallel": True}, (2, 2)),
    ],
)
def test_the_number_of_calls(options: dict[str, Any], counts: tuple[int, int] | None):
    assert sg.Tools(TOOLS, **options).counts == counts


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_calls": 3, "max_calls": 2}, "min_calls is 3, which is more than max_calls, 2"),
        ({"min_calls": 0}, "min_calls must be a whole number from 1 to 64, not 0"),
        ({"max_calls": True}, "max_calls must be a whole number from 1 to 64, not True"),
        ({"max_calls": 2, "parallel": False}, "2 calls need parallel=true, and it is false"),
    ],
)
def test_a_bad_number_of_calls(options: dict[str, Any], message: str):
    with pytest.raises(sg.InvalidOption, match=message):
        sg.Tools(TOOLS, **options)


def step(number: int) -> dict[str, Any]:
    return {"name": "north", "arguments": {"steps": number}}


DOWN: dict[str, Any] = {"name": "south", "arguments": {}}


def test_distinct_calls_against_enumeration():
    """Of all sequences of three calls, those of an allowed length without repetition are accepted."""
    constraint = sg.compile(sg.Tools([north, south], "required", min_calls=2, max_calls=3, distinct=True))
    free = sg.compile(sg.Tools([north, south], "required", min_calls=2, max_calls=3))
    for count in range(5):
        for calls in itertools.product([step(1), step(2), DOWN], repeat=count):
            text = json.dumps(calls)
            told_apart = len({json.dumps(call) for call in calls}) == count
            assert free.accepts(text) == (2 <= count <= 3)
            assert constraint.accepts(text) == (2 <= count <= 3 and told_apart), text


def test_calls_that_cannot_be_distinct_are_refused_before_generation():
    with pytest.raises(sg.Unsatisfiable):
        sg.compile(sg.Tools([south], "required", min_calls=2, distinct=True))


def test_an_answer_is_never_the_name_of_a_tool():
    constraint = sg.compile(sg.Tools(TOOLS))
    for answer, right in (
        ("north", False),
        ("code", False),
        ("north ", True),
        ("Northern", True),
        ("no", True),
    ):
        assert constraint.accepts(json.dumps({"answer": answer})) == right, answer
