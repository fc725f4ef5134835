"""Tools in vLLM: what a request may call is in its constraint, in the syntax that vLLM's own tool parser reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import structgen as sg
from integrations.test_vllm import SCHEMA, Served
from integrations.vllm_engine import Engine, Request, StockSampler
from structgen.integrations.vllm.asked import KEY, Asked, ThoughtMode
from structgen.integrations.vllm.constraints import Constraints
from structgen.integrations.vllm.sampler import ConstrainedSampler
from tiny_gemma import CANVAS, HEAD, small_tokenizer

NAMES = ("<|tool_call>", "<tool_call|>", '<|"|>')
WEATHER = {
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 9}, "days": {"type": "integer", "maximum": 9}},
        "required": ["city"],
    },
}
SEAT = {
    "name": "seat",
    "parameters": {"type": "object", "properties": {"row": {"enum": ["a", "b"]}}, "required": ["row"]},
}
CHAT = [{"type": "function", "function": one} for one in (WEATHER, SEAT)]
FLAT = [{"type": "function", **one} for one in (WEATHER, SEAT)]
ANTHROPIC = [{"name": one["name"], "input_schema": one["parameters"]} for one in (WEATHER, SEAT)]
FORM = {"type": "json_schema", "json_schema": {"name": "it", "schema": SCHEMA}}
NAMED = {"type": "function", "function": {"name": "seat"}}
ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}}

WEATHERS = '<|tool_call>call:weather{city:<|"|>Rome<|"|>,days:2}<tool_call|>'
SEATS = '<|tool_call>call:seat{row:<|"|>a<|"|>}<tool_call|>'
WORDS = "It rains."
OBJECT = '{"age": 7}'


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json", NAMES)


@pytest.fixture(scope="module")
def compiled(tokenizer: Path) -> Constraints:
    return Constraints(lambda: tokenizer, HEAD + len(NAMES))


@pytest.fixture(scope="module")
def server(tokenizer: Path) -> Served:
    return Served(tokenizer, tools="gemma4", size=HEAD + len(NAMES))


def asked(server: Served, body: dict[str, Any], path: str = "/v1/chat/completions") -> Asked:
    status, answer = server.post({"max_tokens": 256, **body}, path)
    assert status == 200, answer
    return Asked.read(json.loads(server.bodies[-1])["vllm_xargs"][KEY])


def accepted(compiled: Constraints, asked: Asked, texts: list[str]) -> list[bool]:
    """By tokens, because markers of calls are no text."""
    vocabulary = compiled.vocabulary(ThoughtMode.NONE)
    constraint = sg.compile(asked.source(vocabulary.special), vocabulary)
    return [
        constraint.accepts_ids([*_ids(vocabulary, text), vocabulary.special["<turn|>"]]) for text in texts
    ]


def _ids(vocabulary: sg.Vocabulary, text: str) -> list[int]:
    for name in NAMES:
        if name in text:
            before, after = text.split(name, 1)
            return [*_ids(vocabulary, before), vocabulary.special[name], *_ids(vocabulary, after)]
    return list(vocabulary.encode(text)) if text else []


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, [True, True, True, True]),
        ({"tool_choice": "auto"}, [True, True, True, True]),
        ({"tool_choice": "required"}, [True, True, True, False]),
        ({"tool_choice": "required", "parallel_tool_calls": False}, [True, True, False, False]),
        ({"tool_choice": NAMED, "parallel_tool_calls": False}, [False, True, False, False]),
        ({"tool_choice": ALLOWED}, [False, True, False, False]),
    ],
)
def test_a_choice_decides_what_may_be_called(
    server: Served, compiled: Constraints, more: dict[str, Any], wanted: list[bool]
):
    texts = [WEATHERS, SEATS, WEATHERS + SEATS, WORDS]
    assert accepted(compiled, asked(server, {"tools": CHAT, **more}), texts) == wanted


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", {"tools": FLAT, "tool_choice": {"type": "function", "name": "seat"}}),
        ("/v1/messages", {"tools": ANTHROPIC, "tool_choice": {"type": "tool", "name": "seat"}}),
        ("/invocations", {"tools": CHAT, "tool_choice": NAMED, "messages": []}),
    ],
)
def test_each_endpoint_spells_tools_in_its_own_way(
    server: Served, compiled: Constraints, path: str, body: dict[str, Any]
):
    assert accepted(compiled, asked(server, body, path), [WEATHERS, SEATS, WORDS]) == [False, True, False]


def test_the_request_keeps_what_vllm_reads_calls_by(server: Served):
    asked(server, {"tools": CHAT, "tool_choice": NAMED})
    body = json.loads(server.bodies[-1])
    assert (body["tools"], body["tool_choice"]) == (CHAT, NAMED)
    asked(server, {"tools": CHAT, "tool_choice": ALLOWED})
    assert json.loads(server.bodies[-1])["tool_choice"] == "required"  # vLLM has no allowed_tools


def test_arguments_obey_their_schema(server: Served, compiled: Constraints):
    wrong = [WEATHERS.replace("2", "12"), WEATHERS.replace("days", "day"), WEATHERS.replace("Rome", "R" * 10)]
    assert accepted(compiled, asked(server, {"tools": CHAT}), wrong) == [False] * 3


def test_a_schema_beside_tools_is_an_answer_or_calls(server: Served, compiled: Constraints):
    one = asked(server, {"tools": CHAT, "response_format": FORM})
    assert accepted(compiled, one, [WEATHERS, SEATS, OBJECT, WORDS]) == [True, True, True, False]
    status, answer = server.post({"tools": CHAT, "tool_choice": "required", "response_format": FORM})
    assert status == 400
    assert json.loads(answer)["error"]["param"] == "/tool_choice"


def test_without_tools_or_a_wish_to_call_nothing_is_constrained(server: Served):
    for body in (
        {"tools": []},
        {"tools": CHAT, "tool_choice": "none"},
        {"tools": ANTHROPIC, "tool_choice": {"type": "none"}},
    ):
        assert server.post(body)[0] == 200
        assert json.loads(server.bodies[-1]) == body


def test_a_call_that_nothing_would_read_is_refused(tokenizer: Path):
    plain = Served(tokenizer, size=HEAD + len(NAMES))
    assert plain.post({"tools": CHAT})[0] == 200
    status, answer = plain.post({"tools": CHAT, "tool_choice": "required"})
    assert status == 400
    assert b"--tool-call-parser gemma4" in answer


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/completions", {"prompt": "It is "}),
        ("/invocations", {"prompt": "It is "}),
        ("/v1/chat/completions/batch", {"messages": [[], []]}),
    ],
)
@pytest.mark.parametrize("choice", [None, "auto", "required", NAMED])
@pytest.mark.parametrize("parser", ["gemma4", None])
def test_tools_are_refused_where_nothing_calls_them(
    tokenizer: Path, path: str, body: dict[str, Any], choice: Any, parser: str | None
):
    server = Served(tokenizer, tools=parser, size=HEAD + len(NAMES))
    asking = {**body, "tools": CHAT, "tool_choice": choice}
    for more in ({}, {"structured_outputs": {"regex": "x"}}):
        status, answer = server.post({**asking, **more}, path)
        error = json.loads(answer)["error"]
        assert (status, error["param"], server.bodies) == (400, "/tools", [])
        assert error["message"].startswith("tools: ")
    assert server.post({**body, "tools": CHAT, "tool_choice": "none"}, path)[0] == 200


def test_a_tool_with_a_schema_that_cannot_be_enforced_is_named(server: Served):
    odd = {"name": "odd", "parameters": {"type": "object", "properties": {"x": {"$ref": "#/nowhere"}}}}
    status, answer = server.post(
        {"tools": [{"type": "function", "function": odd}], "tool_choice": "required"}
    )
    assert status == 400
    assert "'odd'" in json.loads(answer)["error"]["message"]


@pytest.mark.parametrize("seed", range(3))
def test_what_the_engine_writes_are_calls(server: Served, compiled: Constraints, seed: int):
    one = asked(server, {"tools": CHAT, "tool_choice": "required"})
    request = Request(0, 8 * CANVAS, {KEY: one.written()})
    Engine(ConstrainedSampler(StockSampler(CANVAS, HEAD + len(NAMES)), compiled), CANVAS, seed=seed).run(
        [request]
    )
    assert compiled.submit(one).result().accepts_ids(request.ids)
