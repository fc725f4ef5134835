"""Chat completions, asked for by OpenAI's own client."""

from __future__ import annotations

import json
from typing import Any, Literal

import openai
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

INVOICE = {
    "type": "object",
    "properties": {"vendor": {"type": "string", "maxLength": 8}, "paid": {"type": "boolean"}},
    "required": ["vendor", "paid"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "invoice", "schema": INVOICE}}
SAID = [{"role": "user", "content": "Invoice of ACME, paid"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"enum": ["Oslo", "Rome"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
ROOM = {**WEATHER, "function": {**WEATHER["function"], "name": "room"}}
NAMED = {"type": "function", "function": {"name": "weather"}}


def ask(**given: Any) -> Any:
    return lambda client: client.chat.completions.create(**{"model": "toy", "messages": SAID, **given})


def valid(call: Any) -> None:
    Draft202012Validator(WEATHER["function"]["parameters"]).validate(json.loads(call.function.arguments))


class Invoice(BaseModel):
    kind: Literal["invoice", "receipt"]
    paid: bool


class TestAnswers:
    def test_an_answer_satisfies_the_schema_and_says_what_it_took(self, client):
        found = client(ask(response_format=FORMAT))
        Draft202012Validator(INVOICE).validate(json.loads(found.choices[0].message.content))
        assert found.choices[0].finish_reason == "stop"
        assert found.model == "toy"
        assert found.usage.completion_tokens > 5
        assert found.usage.total_tokens == found.usage.prompt_tokens + found.usage.completion_tokens
        assert found.structgen["blocks"] >= 1

    def test_a_class_is_parsed(self, client):
        found = client(
            lambda client: client.chat.completions.parse(model="toy", messages=SAID, response_format=Invoice)
        )
        assert isinstance(found.choices[0].message.parsed, Invoice)

    def test_a_stream_is_the_same_answer_and_ends_with_its_usage(self, client):
        whole = client(ask(response_format=FORMAT, seed=3))
        chunks = client(
            ask(response_format=FORMAT, seed=3, stream=True, stream_options={"include_usage": True})
        )
        text = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
        assert text == whole.choices[0].message.content
        assert chunks[0].choices[0].delta.role == "assistant"
        assert chunks[-2].choices[0].finish_reason == "stop"
        assert chunks[-1].choices == []
        assert chunks[-1].usage == whole.usage

    def test_the_seed_decides(self, client):
        same = {client(ask(response_format=FORMAT, seed=5)).choices[0].message.content for _ in range(3)}
        assert len(same) == 1

    def test_n_gives_so_many_answers(self, client):
        found = client(ask(response_format=FORMAT, n=3))
        assert [one.index for one in found.choices] == [0, 1, 2]
        for choice in found.choices:
            Draft202012Validator(INVOICE).validate(json.loads(choice.message.content))

    def test_log_probabilities_spell_the_answer(self, client):
        found = client(ask(response_format=FORMAT, logprobs=True, top_logprobs=2)).choices[0]
        spelled = b"".join(bytes(one.bytes) for one in found.logprobs.content)
        assert spelled.decode() == found.message.content
        for one in found.logprobs.content:
            assert one.logprob <= 0
            assert len(one.top_logprobs) <= 2

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"regex": r"[ab]{3}"}, "[ab]{3}"),
            ({"choice": ["yes", "no"]}, "yes|no"),
            ({"grammar": 'root ::= "x" "y"'}, "xy"),
            ({"grammar": 'start: "x" "z"'}, "xz"),
        ],
    )
    def test_structured_outputs_are_those_of_vllm(self, client, given, expected):
        import re

        found = client(ask(extra_body={"structured_outputs": given}))
        assert re.fullmatch(expected, found.choices[0].message.content)

    def test_a_verbatim_value_is_copied_from_the_last_user_message(self, client):
        schema = {
            "type": "object",
            "properties": {"id": {"type": "string", "x-verbatim": True}},
            "required": ["id"],
        }
        said = [{"role": "system", "content": "zzz"}, {"role": "user", "content": "id QX7"}]
        form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        found = json.loads(client(ask(messages=said, response_format=form)).choices[0].message.content)
        assert found["id"] in "id QX7"
        own = {"structgen": {"verbatim_source": 0}}
        found = json.loads(
            client(ask(messages=said, response_format=form, extra_body=own)).choices[0].message.content
        )
        assert found["id"] in "zzz"

    def test_details_have_a_probability_for_each_value(self, client):
        found = client(ask(response_format=FORMAT, extra_body={"structgen": {"details": True}}))
        assert found.structgen["confidence"].keys() == {"/vendor", "/paid"}
        assert all(0 <= share <= 1 for share in found.structgen["confidence"].values())

    def test_text_ends_before_a_stop(self, client):
        whole = client(ask()).choices[0].message.content
        assert whole
        stop = whole[len(whole) // 2]
        assert client(ask(stop=[stop])).choices[0].message.content == whole[: whole.index(stop)]


class TestTools:
    def test_auto_calls_or_answers(self, client):
        found = client(ask(tools=[WEATHER])).choices[0]
        assert bool(found.message.tool_calls) == (found.message.content is None)
        assert found.finish_reason == ("tool_calls" if found.message.tool_calls else "stop")

    def test_required_calls(self, client):
        found = client(ask(tools=[WEATHER, ROOM], tool_choice="required")).choices[0]
        assert found.message.content is None
        assert found.finish_reason == "tool_calls"
        for call in found.message.tool_calls:
            valid(call)

    def test_a_named_tool_is_called_once_and_the_reason_is_stop(self, client):
        found = client(ask(tools=[ROOM, WEATHER], tool_choice=NAMED)).choices[0]
        (call,) = found.message.tool_calls
        assert call.function.name == "weather"
        assert found.finish_reason == "stop"
        valid(call)

    def test_only_allowed_tools_are_called(self, client):
        allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}}
        found = client(ask(tools=[ROOM, WEATHER], tool_choice=allowed)).choices[0]
        assert {call.function.name for call in found.message.tool_calls} == {"weather"}

    def test_one_call_where_parallel_ones_are_not_wanted(self, client):
        found = client(ask(tools=[WEATHER], tool_choice="required", parallel_tool_calls=False)).choices[0]
        assert len(found.message.tool_calls) == 1

    def test_streamed_calls_are_the_same_calls(self, client):
        given = {"tools": [WEATHER, ROOM], "tool_choice": "required", "seed": 2}
        whole = client(ask(**given)).choices[0].message.tool_calls
        calls: dict[int, list[str]] = {}
        for chunk in client(ask(**given, stream=True)):
            for delta in chunk.choices[0].delta.tool_calls or ():
                name, text = calls.get(delta.index, ["", ""])
                calls[delta.index] = [
                    name + (delta.function.name or ""),
                    text + (delta.function.arguments or ""),
                ]
        assert list(calls.values()) == [[call.function.name, call.function.arguments] for call in whole]

    @pytest.mark.parametrize(
        ("syntax", "definition", "expected"), [("regex", "[ab]{3}", "ab"), ("lark", 'start: "b"~3', "b")]
    )
    def test_custom_tools_take_a_text(self, client, syntax, definition, expected):
        form = {"type": "grammar", "grammar": {"syntax": syntax, "definition": definition}}
        tool = {"type": "custom", "custom": {"name": "write", "format": form}}
        found = client(ask(tools=[tool], tool_choice="required", parallel_tool_calls=False)).choices[0]
        text = found.message.tool_calls[0].custom.input
        assert len(text) == 3
        assert set(text) <= set(expected)

    def test_a_custom_tool_cannot_be_streamed_in_a_chat(self, client):
        tool = {"type": "custom", "custom": {"name": "write"}}
        with pytest.raises(openai.BadRequestError, match="/v1/responses"):
            client(ask(tools=[tool], stream=True))

    def test_calls_or_an_answer_of_a_form(self, client):
        found = client(ask(tools=[WEATHER], response_format=FORMAT)).choices[0]
        if found.message.tool_calls:
            assert found.finish_reason == "tool_calls"
            assert found.message.content is None
            valid(found.message.tool_calls[0])
        else:
            assert found.finish_reason == "stop"
            assert Draft202012Validator(INVOICE).is_valid(json.loads(found.message.content))


BAD = [
    ({"messages": []}, "/messages"),
    ({"messages": [{"role": "wizard", "content": "x"}]}, "/messages/0/role"),
    (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        "/messages/0/content/0/type",
    ),
    (
        {"messages": [{"role": "user", "content": "x"}, {"role": "tool", "content": "y"}]},
        "/messages/1/tool_call_id",
    ),
    ({"tool_choice": NAMED}, "/tool_choice"),
    ({"tools": [WEATHER], "tool_choice": {**NAMED, "function": {"name": "nobody"}}}, "/tool_choice"),
    ({"tools": [WEATHER], "tool_choice": {}}, "/tool_choice"),
    ({"tools": [{"type": "function", "function": {"parameters": {}}}]}, "/tools/0/function/name"),
    ({"tools": [WEATHER, WEATHER]}, "/tools"),
    ({"logit_bias": {"1": 5}}, "/logit_bias"),
    ({"audio": {"format": "wav"}}, "/audio"),
    ({"web_search_options": {"search_context_size": "low"}}, "/web_search_options"),
    ({"prediction": {"type": "content", "content": "x"}}, "/prediction"),
    ({"top_p": 0.9}, "/top_p"),
    ({"n": 17}, "/n"),
    ({"n": 0}, "/n"),
    ({"stop": ["x"], "response_format": FORMAT}, "/stop"),
    ({"top_logprobs": 3}, "/top_logprobs"),
    ({"temprature": 1}, "/temprature"),
    ({"temperature": "hot"}, "/temperature"),
    ({"response_format": {"type": "yaml"}}, "/response_format/type"),
    ({"response_format": {"type": "json_schema"}}, "/response_format/json_schema"),
    ({"response_format": FORMAT, "max_tokens": 3}, "/max_tokens"),
    ({"response_format": FORMAT, "tools": [WEATHER], "tool_choice": "required"}, "/tool_choice"),
    ({"response_format": FORMAT, "structured_outputs": {"regex": "a"}}, "/structured_outputs"),
    ({"structured_outputs": {"regex": "(a"}}, "/structured_outputs/regex"),
    ({"structured_outputs": {}}, "/structured_outputs"),
    ({"structgen": {"verbatim_source": 7}}, "/structgen/verbatim_source"),
    ({"structgen": {"detail": True}}, "/structgen/detail"),
]


@pytest.mark.parametrize(("given", "param"), BAD, ids=lambda one: one if isinstance(one, str) else "")
def test_what_cannot_be_done_is_refused_in_one_sentence_that_says_where(client, given, param):
    found = client.post("/v1/chat/completions", {"messages": SAID, **given})
    assert found.status_code == 400, found.text
    error = found.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"
    assert "\n" not in error["message"]
    assert found.headers["x-should-retry"] == "false"
    assert found.headers["x-request-id"].startswith("req_")


def test_a_budget_that_is_too_small_is_refused_with_the_least_one(client):
    found = client.post(
        "/v1/chat/completions", {"messages": SAID, "response_format": FORMAT, "max_completion_tokens": 3}
    )
    error = found.json()["error"]
    assert error["code"] == "budget_too_small"
    least = int(error["message"].rpartition(": ")[2])
    body = {"messages": SAID, "response_format": FORMAT, "max_completion_tokens": least}
    assert client.post("/v1/chat/completions", body).status_code == 200
    assert f'"max_completion_tokens": {least}' in error["message"]


def test_fields_that_change_nothing_are_taken(client):
    changed = client(
        ask(
            response_format=FORMAT,
            store=True,
            user="u",
            metadata={"a": "b"},
            service_tier="auto",
            prompt_cache_key="k",
            verbosity="low",
            reasoning_effort="low",
            logit_bias={},
        )
    )
    assert changed.choices == client(ask(response_format=FORMAT)).choices


def test_a_budget_above_the_servers_is_refused_not_cut(client):
    body = {"messages": SAID, "response_format": FORMAT, "max_completion_tokens": 1 << 17}
    found = client.post("/v1/chat/completions", body)
    assert found.status_code == 400
    assert found.json()["error"]["param"] == "/max_completion_tokens"


def test_a_model_that_runs_elsewhere_answers_too(model):
    from dataclasses import replace

    from structgen.generation.remote import Replied
    from structgen.server import create_app

    from .conftest import Client

    class Elsewhere:
        def reply(self, request: Any) -> Replied:
            return Replied('{"vendor": "ACME", "paid": true}')

    app = create_app(replace(model, remote=Elsewhere()))
    given = {"model": "filler", "response_format": FORMAT}
    found = Client(app)(ask(**given))
    assert json.loads(found.choices[0].message.content) == {"vendor": "ACME", "paid": True}
    chunks = Client(app)(ask(**given, stream=True))
    assert "".join(one.choices[0].delta.content or "" for one in chunks) == found.choices[0].message.content
    with pytest.raises(openai.BadRequestError, match="elsewhere"):
        Client(app)(ask(**given, logprobs=True))
    app.state.service.workers.close()
