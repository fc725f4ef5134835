"""Every field of vLLM's request classes beside a constraint: it works, or the request is refused with its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integrations.test_vllm import SCHEMA, Served
from real_vllm.fields import BODIES, FATAL, FORBIDDEN, LEFT, LEFT_AT, NAMES, READ, WORKS, fate
from structgen.integrations.vllm.asked import GUIDED, KEY, Asked, ThoughtMode
from structgen.integrations.vllm.fields import BREAKING, Endpoint
from tiny_gemma import small_tokenizer

ASKED = {"structured_outputs": {"json": SCHEMA}, "max_tokens": 64}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Served:
    path: Path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    return Served(small_tokenizer(path))


def test_every_field_of_the_request_classes_has_one_fate():
    assert NAMES.keys() == {one.value for one in Endpoint}
    assert FORBIDDEN.keys() == BREAKING.keys()
    tables = (WORKS, READ, LEFT, FORBIDDEN, FATAL)
    for path, names in NAMES.items():
        for name in names.split():
            assert sum(name in table for table in tables) + ((path, name) in LEFT_AT) >= 1, (path, name)
    for name in {name for names in NAMES.values() for name in names.split()}:
        assert sum(name in table for table in tables) <= 1, name


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, names in NAMES.items() for name in names.split()]
)
def test_the_server_refuses_no_other_fields(server: Served, path: str, name: str):
    """What works, and what vLLM refuses itself, reaches vLLM; the rest is answered 400 with the field's name."""
    end, more = fate(path, name)
    status, answer = server.post({**BODIES[path], **more}, path)
    assert status == (400 if end == "refused" else 200), answer
    if end == "refused":
        assert json.loads(answer)["error"]["param"] == f"/{name}"


@pytest.mark.parametrize("name", sorted(BREAKING))
def test_a_field_that_would_break_the_answer_is_refused_by_name(server: Served, name: str):
    path = "/v1/completions"
    status, answer = server.post({**ASKED, name: FORBIDDEN[name]}, path)
    error = json.loads(answer)["error"]
    assert status == error["code"] == 400
    assert error["param"] == f"/{name}"
    assert error["message"].startswith(f"{name} beside a constraint: ")
    assert server.post({name: FORBIDDEN[name]}, path)[0] == 200  # without a constraint it is vLLM's affair


@pytest.mark.parametrize("name", sorted(BREAKING))
def test_values_that_ask_for_nothing_are_passed_on(server: Served, name: str):
    for value in (None, *BREAKING[name].harmless):
        assert server.post({**ASKED, name: value})[0] == 200
        assert json.loads(server.bodies[-1])[name] == value


def test_logprobs_of_completions_are_a_number(server: Served):
    assert server.post({**ASKED, "logprobs": 0}, "/v1/completions")[0] == 400


@pytest.mark.parametrize("name", sorted(GUIDED))
def test_the_older_names_of_structured_outputs_are_read(server: Served, name: str):
    given: dict[str, Any] = {
        "guided_json": SCHEMA,
        "guided_json_object": True,
        "guided_regex": "[ab]+",
        "guided_choice": ["a", "b"],
        "guided_grammar": 'root ::= "a"',
        "guided_whitespace_pattern": " ?",
    }
    status, answer = server.post({name: given[name], "guided_decoding_backend": "xgrammar", "max_tokens": 64})
    if name == "guided_whitespace_pattern":
        assert status == 400
        assert b"whitespace_pattern" in answer
        return
    body = json.loads(server.bodies[-1])
    asked = Asked.read(body["vllm_xargs"][KEY])
    assert (asked.kind, asked.value) == (GUIDED[name], given[name])
    assert not body.keys() & {name, "guided_decoding_backend"}


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_each_endpoint_takes_a_schema(server: Served, endpoint: Endpoint):
    form = {"type": "json_schema", "schema": SCHEMA}
    body: dict[str, Any] = {
        Endpoint.RESPONSES: {"text": {"format": {"name": "it", **form}}},
        Endpoint.MESSAGES: {"output_config": {"format": form}, "messages": []},
    }.get(
        endpoint,
        {"response_format": {"type": "json_schema", "json_schema": {"name": "it", "schema": SCHEMA}}},
    )
    status, answer = server.post({**body, "max_tokens": 64}, endpoint.value)
    assert status == 200, answer
    assert Asked.read(json.loads(server.bodies[-1])["vllm_xargs"][KEY]).value == SCHEMA


def test_invocations_are_read_as_what_they_hold(server: Served):
    for holding, preface in (
        ({"messages": []}, ThoughtMode.SILENT),
        ({"prompt": "It is "}, ThoughtMode.NONE),
    ):
        assert server.post({**ASKED, **holding}, "/invocations")[0] == 200
        assert Asked.read(json.loads(server.bodies[-1])["vllm_xargs"][KEY]).preface is preface
    body = {"input": "an embedding", "encoding_format": "float"}
    assert server.post(body, "/invocations")[0] == 200
    assert json.loads(server.bodies[-1]) == body


@pytest.mark.parametrize(
    ("body", "mode"),
    [
        ({}, ThoughtMode.SILENT),
        ({"reasoning_effort": "low"}, ThoughtMode.THINKING),
        ({"reasoning_effort": "none"}, ThoughtMode.SILENT),
        ({"reasoning": {"effort": "high"}}, ThoughtMode.THINKING),
        ({"output_config": {"effort": "max"}}, ThoughtMode.THINKING),
        ({"thinking": {"type": "disabled"}}, ThoughtMode.SILENT),
        (
            {"reasoning_effort": "high", "chat_template_kwargs": {"enable_thinking": False}},
            ThoughtMode.SILENT,
        ),
    ],
)
def test_a_thought_precedes_the_answer_where_the_prompt_asks_for_one(
    server: Served, body: dict[str, Any], mode: ThoughtMode
):
    """As vLLM makes the prompt: an effort turns thinking on in the chat template."""
    assert server.post({**ASKED, **body})[0] == 200
    assert Asked.read(json.loads(server.bodies[-1])["vllm_xargs"][KEY]).preface is mode


@pytest.mark.parametrize(
    ("path", "more", "name"),
    [
        ("/v1/chat/completions", {"prompt_logprobs": 0}, "prompt_logprobs"),
        ("/v1/chat/completions", {"echo": True}, "echo"),
        ("/v1/chat/completions/batch", {"echo": True}, "echo"),
        ("/v1/completions", {"echo": True, "logprobs": 0}, "echo"),
        ("/v1/completions", {"echo": True}, None),
        ("/v1/chat/completions", {"echo": False, "prompt_logprobs": None}, None),
    ],
)
def test_what_ends_vllms_engine_is_refused_without_a_constraint_too(
    server: Served, path: str, more: dict[str, Any], name: str | None
):
    status, answer = server.post({**BODIES[path], **more}, path)
    assert status == (400 if name else 200)
    if name:
        assert json.loads(answer)["error"]["param"] == f"/{name}"


def test_logprobs_of_responses_are_refused_by_their_place(server: Served):
    status, answer = server.post(
        {**ASKED, "include": ["reasoning.encrypted_content", "message.output_text.logprobs"]}, "/v1/responses"
    )
    assert status == 400
    assert json.loads(answer)["error"]["param"] == "/include"


def test_a_budget_for_thoughts_is_refused(server: Served):
    status, answer = server.post(
        {**ASKED, "thinking": {"type": "enabled", "budget_tokens": 1024}}, "/v1/messages"
    )
    assert (status, b"/thinking" in answer) == (400, True)
