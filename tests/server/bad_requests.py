"""Bad requests: bodies that are none, fields, texts and questions."""

from __future__ import annotations

import json
from collections.abc import Iterator

from .bad import (
    ASKED,
    BODY_BYTES,
    CHAT,
    CHATS,
    DECIDE,
    DECISIONS,
    GOOD,
    HALF,
    PREDICATE,
    RESPONSES,
    SECRET,
    STATE,
    SYSTEMONE,
    Bad,
)

NOT_JSON = {
    "nothing": b"",
    "a word": b"hello",
    "half an object": b'{"messages": [',
    "a comma too many": b'{"seed": 1,}',
    "single quotes": b"{'seed': 1}",
    "no UTF-8": b'{"user": "\xff\xfe"}',
    "UTF-16 with half a pair": '{"user": "x"}'.encode("utf-16") + b"\x00\xd8",
    "NUL": b"\x00",
    "100,000 digits": b'{"seed": ' + b"9" * 50_000 + b"}",
    "deep arrays": b"[" * 90_000,
    "deep objects": b'{"a":' * 15_000 + b"1" + b"}" * 15_000,
}


def everywhere() -> Iterator[Bad]:
    """What is bad at every route that takes a body."""
    for path, good in GOOD.items():
        for label, body in NOT_JSON.items():
            yield Bad(label, path, body)
        for value in ([], 1, None, "text", True):
            yield Bad(f"{value!r} as the body", path, value)
        yield Bad("text/plain", path, good, headers=(("content-type", "text/plain"),))
        yield Bad("a form", path, b"a=1", headers=(("content-type", "application/x-www-form-urlencoded"),))
        yield Bad("too large", path, {**good, "user": "x" * BODY_BYTES}, 413)
        yield Bad("no key", path, good, 401, key=None)
        yield Bad("another key", path, good, 401, key=f"wrong {SECRET}")
        yield Bad("a key that is no ASCII", path, good, 401, key="Schlüssel")
        yield Bad("another model", path, {**good, "model": "gpt-6"}, 404, "/model")
        yield Bad("a model of odd characters", path, {**good, "model": f"a\0{HALF}\n" * 50}, 404, "/model")
        yield Bad("a model of the wrong type", path, {**good, "model": 3}, param="/model")
        yield Bad("an unknown field", path, {**good, "frobnicate": 1}, param="/frobnicate")
        yield Bad("a misspelt field", path, {**good, "sead": 1}, param="/sead")
        yield Bad("a field of odd characters", path, {**good, HALF: 1})
        yield Bad("a field of 10,000 letters", path, {**good, "x" * 10_000: 1}, param="/" + "x" * 10_000)
    for path, first in ((CHATS, "/messages"), (DECISIONS, "/input"), (SYSTEMONE, "/state")):
        yield Bad("no field", path, {}, param=first)
    for path, good in GOOD.items():
        for seed in ("1", 1.5, True, 1e999):
            yield Bad(f"seed {seed!r}", path, {**good, "seed": seed}, param="/seed")
        yield Bad("another method", path, method="GET", status=405)


def about() -> Iterator[Bad]:
    """What is bad at the routes about the server, and at none."""
    yield Bad("no such path", f"/v1/{SECRET}", status=404)
    yield Bad("no such path", "/", method="GET", status=404)
    for path in (
        "/v1/models",
        "/v1/models/toy",
        "/health",
        "/ready",
        "/version",
        "/metrics",
        "/openapi.json",
    ):
        yield Bad("another method", path, method="DELETE", status=405)
    for name in ("gpt-6", "a%00b", "%ED%A0%80", "x" * 5000, "..%2f..%2fetc"):
        yield Bad(f"model {name[:20]}", f"/v1/models/{name}", method="GET", status=404, param="/model")
    yield Bad("no key", "/v1/models", method="GET", status=401, key=None)


def fields() -> Iterator[Bad]:
    """Bad values of the other fields of chats and responses, and fields that change the meaning."""
    for name, value in {
        "audio": {"voice": "alloy", "format": "wav"},
        "modalities": ["text", "audio"],
        "web_search_options": {"search_context_size": "low"},
        "prediction": {"type": "content", "content": "x"},
        "moderation": {"model": "x"},
        "logit_bias": {"50256": -100},
        "functions": [{"name": "f"}],
        "function_call": "auto",
        "frequency_penalty": 0.5,
        "presence_penalty": -0.5,
        "top_p": 0.9,
        "n": 0,
        "stop": ["a", "b", "c", "d", "e"],
        "top_logprobs": 3,
        "temperature": 3,
        "max_tokens": 0,
        "max_completion_tokens": -1,
        "stream": "yes",
        "parallel_tool_calls": "no",
        "logprobs": 1,
        "tool_choice": "required",
    }.items():
        yield Bad(f"{name} {json.dumps(value)}", CHATS, {**CHAT, name: value}, param=f"/{name}")
    for value in ("", [""], 3):
        yield Bad(f"stop {value!r}", CHATS, {**CHAT, "stop": value}, param="/stop")
    for n in (17, 10**30, 1.5, "2"):
        yield Bad(f"n {n!r}", CHATS, {**CHAT, "n": n}, param="/n")
    for budget in (10**9, 10**40):
        yield Bad(f"max_tokens {budget}", CHATS, {**CHAT, "max_tokens": budget}, param="/max_tokens")
    for value in (1e999, -1, "1"):
        yield Bad(f"temperature {value!r}", CHATS, {**CHAT, "temperature": value}, param="/temperature")
    yield Bad(
        "two budgets", CHATS, {**CHAT, "max_tokens": 9, "max_completion_tokens": 9}, param="/max_tokens"
    )
    cut = {"stop": "x", "response_format": {"type": "json_object"}}
    yield Bad("a stop beside a form", CHATS, {**CHAT, **cut}, param="/stop")
    yield Bad(
        "options of a stream",
        CHATS,
        {**CHAT, "stream": True, "stream_options": {"x": 1}},
        param="/stream_options/x",
    )
    for name, value in {
        "background": True,
        "conversation": "conv_1",
        "previous_response_id": "resp_1",
        "prompt": {"id": "pmpt_1"},
        "truncation": "auto",
        "max_tool_calls": 1,
        "context_management": [{"type": "compaction"}],
        "top_p": 0.5,
        "max_output_tokens": 0,
        "temperature": -1,
        "top_logprobs": 21,
        "include": "x",
        "metadata": "x",
    }.items():
        yield Bad(f"{name} {json.dumps(value)}", RESPONSES, {**ASKED, name: value}, param=f"/{name}")
    for name, value in {
        "details": "yes",
        "verbatim_source": "nowhere",
        "steps": 0,
        "max_tokens": 10**9,
        "whitespace": "none",
        "detail": True,
        "resources": 3,
    }.items():
        yield Bad(
            f"structgen.{name}", CHATS, {**CHAT, "structgen": {name: value}}, param=f"/structgen/{name}"
        )
    odd = {"structgen": {"resources": {SECRET: []}}}
    yield Bad("resources that are no schemas", CHATS, {**CHAT, **odd}, param="/structgen/resources")
    yield Bad("resources that are no schemas", RESPONSES, {**ASKED, **odd}, param="/structgen/resources")
    yield Bad("structgen of the wrong type", CHATS, {**CHAT, "structgen": []}, param="/structgen")
    far = {"structgen": {"verbatim_source": 7}}
    yield Bad("a message that is not there", CHATS, {**CHAT, **far}, param="/structgen/verbatim_source")


def texts() -> Iterator[Bad]:
    """Bad messages and items."""
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}
    for label, said, at in (
        ("none", [], ""),
        ("a string", "hello", ""),
        ("strings", ["hello"], "/0"),
        ("no role", [{"content": "x"}], "/0/role"),
        ("an unknown role", [{"role": "wizard", "content": "x"}], "/0/role"),
        ("no content", [{"role": "user"}], "/0/content"),
        ("null", [{"role": "user", "content": None}], "/0/content"),
        ("a number", [{"role": "user", "content": 3}], "/0/content"),
        ("a picture", [{"role": "user", "content": [picture]}], "/0/content/0/type"),
        ("a part without a text", [{"role": "user", "content": [{"type": "text"}]}], "/0/content/0/text"),
        ("a part without a type", [{"role": "user", "content": [{}]}], "/0/content/0/type"),
        ("half a pair", [{"role": "user", "content": f"{SECRET}{HALF}"}], "/0/content"),
        (
            "half a pair in a part",
            [{"role": "user", "content": [{"type": "text", "text": HALF}]}],
            "/0/content/0/text",
        ),
        ("a result of no call", [{"role": "tool", "content": "x", "tool_call_id": "c"}], "/0/tool_call_id"),
        (
            "a user that calls",
            [
                {
                    "role": "user",
                    "content": "x",
                    "tool_calls": [
                        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                    ],
                }
            ],
            "/0/tool_calls",
        ),
        (
            "a call of nothing",
            [{"role": "assistant", "tool_calls": [{"id": "c"}]}],
            "/0/tool_calls/0/function",
        ),
        (
            "a call with half a pair",
            [
                {
                    "role": "assistant",
                    "tool_calls": [
                        {"id": "c", "type": "function", "function": {"name": "f", "arguments": HALF}}
                    ],
                }
            ],
            "/0/tool_calls/0/function/arguments",
        ),
    ):
        yield Bad(f"messages: {label}", CHATS, {"messages": said}, param=f"/messages{at}")
    long = [{"role": "user", "content": "word " * 5000}]
    yield Bad("messages: too long", CHATS, {"messages": long}, 413, "/messages")
    for label, given, at in (
        ("a number", 3, ""),
        ("strings", ["x"], "/0"),
        ("an empty item", [{}], "/0/role"),
        ("an unknown item", [{"type": "telepathy"}], "/0/type"),
        ("half a pair", HALF, ""),
        ("a picture", [{"role": "user", "content": [{"type": "input_image"}]}], "/0/content/0/type"),
        ("a call without a name", [{"type": "function_call", "arguments": "{}"}], "/0"),
        (
            "a result of no call",
            [{"type": "function_call_output", "call_id": "x", "output": "y"}],
            "/0/call_id",
        ),
        (
            "a call with half a pair",
            [{"type": "function_call", "call_id": "c", "name": "f", "arguments": HALF}],
            "/0/arguments",
        ),
        (
            "a call with a name of the wrong type",
            [{"type": "function_call", "call_id": [], "name": 3, "arguments": ""}],
            "/0",
        ),
    ):
        yield Bad(f"input: {label}", RESPONSES, {"input": given}, param=f"/input{at}")
    yield Bad("input: too long", RESPONSES, {"input": "word " * 5000}, 413, "/input")
    yield Bad("instructions: a number", RESPONSES, {**ASKED, "instructions": 3}, param="/instructions")
    yield Bad("instructions: half a pair", RESPONSES, {**ASKED, "instructions": HALF}, param="/instructions")


def questions() -> Iterator[Bad]:
    """Bad questions."""
    choice = {"type": "choice", "instructions": "Which?"}
    for label, given, at in (
        ("none", [], ""),
        ("an object", {}, ""),
        ("strings", ["x"], "/0"),
        ("no type", [{"instructions": "x"}], "/0/type"),
        ("an unknown type", [{"type": "riddle", "instructions": "x"}], "/0/type"),
        ("no instructions", [{"type": "predicate"}], "/0/instructions"),
        ("empty instructions", [{"type": "predicate", "instructions": " "}], "/0/instructions"),
        ("half a pair", [{"type": "predicate", "instructions": HALF}], "/0/instructions"),
        (
            "a picture",
            [{"type": "predicate", "instructions": [{"type": "input_image"}]}],
            "/0/instructions/0/type",
        ),
        ("no choices", [choice], "/0/choices"),
        ("one choice", [{**choice, "choices": [{"value": "a"}]}], "/0/choices"),
        ("256 choices", [{**choice, "choices": [{"value": str(i)} for i in range(256)]}], "/0/choices"),
        (
            "the same value twice",
            [{**choice, "choices": [{"value": "a"}, {"value": "a"}]}],
            "/0/choices/1/value",
        ),
        ("a number as a choice", [{**choice, "choices": [{"value": 1}, {"value": 2}]}], "/0/choices/0/value"),
        ("an empty choice", [{**choice, "choices": [{"value": ""}, {"value": "a"}]}], "/0/choices/0/value"),
        (
            "half a pair as a choice",
            [{**choice, "choices": [{"value": HALF}, {"value": "a"}]}],
            "/0/choices/0/value",
        ),
        (
            "half a pair in a description",
            [{**choice, "choices": [{"value": "b", "description": HALF}, {"value": "a"}]}],
            "/0/choices/0/description",
        ),
        ("one level", [{"type": "score", "instructions": "x", "levels": [{"label": "a"}]}], "/0/levels"),
        (
            "the same level twice",
            [{"type": "score", "instructions": "x", "levels": [{"label": "a"}] * 2}],
            "/0/levels",
        ),
        (
            "half a pair as a level",
            [{"type": "score", "instructions": "x", "levels": [{"label": HALF}, {"label": "b"}]}],
            "/0/levels/0/label",
        ),
        ("401 questions", [PREDICATE] * 401, ""),
        ("too many answers", [{**choice, "choices": [{"value": str(i)} for i in range(255)]}] * 17, ""),
    ):
        yield Bad(f"questions: {label}", DECISIONS, {**DECIDE, "questions": given}, param=f"/questions{at}")
    for label, given, at in (
        ("a number", 3, ""),
        ("empty", "", ""),
        ("half a pair", HALF, ""),
        ("a picture", [{"role": "user", "content": [{"type": "input_image"}]}], "/0/content/0/type"),
    ):
        yield Bad(f"input: {label}", DECISIONS, {**DECIDE, "input": given}, param=f"/input{at}")
    yield Bad("input: too long", DECISIONS, {**DECIDE, "input": "word " * 5000}, 413, "/input")
    for label, given, at in (
        ("none", {}, ""),
        ("a list", [], ""),
        ("strings", {"a": "x"}, "/a"),
        ("an unknown type", {"a": {"type": "riddle", "instructions": "x"}}, "/a/type"),
        ("no criteria", {"a/b": {"type": "choice", "instructions": "x"}}, "/a~1b/criteria"),
        (
            "one criterion",
            {"a": {"type": "choice", "instructions": "x", "criteria": {"b": "c"}}},
            "/a/criteria",
        ),
        (
            "criteria of numbers",
            {"a": {"type": "score", "instructions": "x", "criteria": [1, 2]}},
            "/a/criteria/0",
        ),
        (
            "empty criteria",
            {"a": {"type": "score", "instructions": "x", "criteria": ["", "b"]}},
            "/a/criteria",
        ),
        (
            "criteria of a noul",
            {"a": {"type": "noul", "instructions": "x", "criteria": {"b": "c"}}},
            "/a/criteria",
        ),
        ("half a pair", {"a": {"type": "noul", "instructions": HALF}}, "/a/instructions"),
        ("half a pair as a name", {HALF: {"type": "noul", "instructions": "x"}}, "/\ufffd"),
        (
            "half a pair as a criterion",
            {"a": {"type": "score", "instructions": "x", "criteria": [HALF, "b"]}},
            "/a/criteria/0",
        ),
    ):
        yield Bad(f"questions: {label}", SYSTEMONE, {**STATE, "questions": given}, param=f"/questions{at}")
    for label, given, at in (
        ("empty", "", ""),
        ("half a pair", HALF, ""),
        ("half a pair inside", {"a": [HALF]}, "/a/0"),
    ):
        yield Bad(f"state: {label}", SYSTEMONE, {**STATE, "state": given}, param=f"/state{at}")
    yield Bad("state: too long", SYSTEMONE, {**STATE, "state": "word " * 5000}, 413, "/state")
    yield Bad("joint of the wrong type", SYSTEMONE, {**STATE, "joint": "yes"}, param="/joint")
