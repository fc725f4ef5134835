"""What comes back of a constrained request in vLLM: an answer, or an error, never an empty text that looks like one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integrations.test_vllm import Served
from structgen.integrations.vllm.constraints import Constraints
from tiny_gemma import small_tokenizer

CALL = {"type": "function", "function": {"name": "seat", "arguments": "{}"}}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")


def chat(**message: Any) -> dict[str, Any]:
    return {"id": "chat-7", "choices": [{"message": {"role": "assistant", **message}}]}


FULL = [
    chat(content="x"),
    chat(content=None, tool_calls=[CALL]),
    {"id": "7", "choices": [{"text": "x"}]},
    {"id": "7", "output": [{"type": "message", "content": [{"type": "output_text", "text": "x"}]}]},
    {"id": "7", "output": [{"type": "function_call", "name": "seat"}]},
    {"id": "7", "content": [{"type": "text", "text": "x"}]},
    {"id": "7", "content": [{"type": "tool_use", "name": "seat"}]},
]
EMPTY = [
    chat(content=""),
    chat(content=None, tool_calls=[]),
    {**chat(content="x"), "choices": [*chat(content="x")["choices"], *chat(content="")["choices"]]},
    {"id": "7", "choices": [{"text": ""}]},
    {"id": "7", "output": [{"type": "message", "content": [{"type": "output_text", "text": ""}]}]},
    {"id": "7", "output": [{"type": "reasoning", "content": [{"type": "reasoning_text", "text": "hm"}]}]},
    {"id": "7", "content": []},
]
ASKED = {"structured_outputs": {"regex": "x+"}, "max_tokens": 64}


@pytest.mark.parametrize("answer", FULL)
def test_an_answer_is_passed_on(tokenizer: Path, answer: dict[str, Any]):
    raw = json.dumps(answer).encode()
    assert Served(tokenizer, answer=raw).post(ASKED) == (200, raw)


@pytest.mark.parametrize("answer", EMPTY)
def test_an_empty_answer_is_an_error_with_the_requests_id(tokenizer: Path, answer: dict[str, Any]):
    raw = json.dumps(answer).encode()
    status, told = Served(tokenizer, answer=raw).post(ASKED)
    error = json.loads(told)["error"]
    assert status == error["code"] == 500
    assert error["message"].startswith(f"the request {answer['id']} was ended without an answer: ")


def test_an_empty_answer_may_be_what_was_asked_for(tokenizer: Path):
    raw = json.dumps(chat(content="")).encode()
    server = Served(tokenizer, answer=raw)
    assert server.post({**ASKED, "structured_outputs": {"regex": "x*"}}) == (200, raw)
    assert server.post({}) == (200, raw)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (['{"id":"chat-7","choices":[{"delta":{"role":"assistant","content":""}}]}'], False),
        (['{"id":"chat-7","choices":[{"delta":{"reasoning":"hm"}}]}'], False),
        (['{"id":"chat-7","choices":[{"delta":{"content":"x"}}]}'], True),
        (['{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}'], True),
        (['{"choices":[{"text":"x"}]}'], True),
        (['{"type":"response.output_text.delta","delta":"x"}'], True),
        (['{"type":"content_block_delta","delta":{"type":"text_delta","text":"x"}}'], True),
    ],
)
def test_a_stream_that_says_nothing_ends_with_an_error(tokenizer: Path, events: list[str], said: bool):
    stream = [f"data: {event}\n\n".encode() for event in [*events, "[DONE]"]]
    server = Served(tokenizer, stream=stream)
    status, told = server.post({**ASKED, "stream": True})
    assert status == 200
    assert told.endswith(b"data: [DONE]\n\n")
    assert (b"was ended without an answer" in told) is not said
    if not said:
        error = json.loads(told.split(b"\n\n")[-3].removeprefix(b"data: "))["error"]
        assert "chat-7" in error["message"]
    assert Served(tokenizer, stream=stream).post({"stream": True})[1] == b"".join(stream)


def test_a_bug_while_a_constraint_is_prepared_is_one_sentence(
    tokenizer: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(*given: Any) -> Any:
        raise MemoryError("no room")

    server = Served(tokenizer)
    monkeypatch.setattr(Constraints, "submit", broken)
    status, told = server.post(ASKED)
    assert (status, server.bodies) == (500, [])
    assert "could not be prepared" in json.loads(told)["error"]["message"]
