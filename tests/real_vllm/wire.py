"""Requests to a running server as bytes, and the texts of its answers, whichever endpoint they come from."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

PATIENCE = 900  # seconds for an answer


def post(base: str, path: str, body: dict[str, Any]) -> tuple[int, str]:
    """Status and body of an answer; base: such as http://127.0.0.1:8000"""
    ask = urllib.request.Request(
        base + path, data=json.dumps(body).encode(), headers={"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(ask, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def texts(answer: str) -> list[str]:
    """The texts of an answer, one for each choice, or of a stream with one choice."""
    if not answer.startswith("{"):
        return ["".join(_pieces(answer))]
    whole = json.loads(answer)
    if "choices" in whole:
        return [one["message"]["content"] if "message" in one else one["text"] for one in whole["choices"]]
    parts = [part for item in whole.get("output", ()) for part in item.get("content") or ()]
    parts += whole.get("content") or ()
    return ["".join(part["text"] for part in parts if part["type"] in ("output_text", "text"))]


def calls(answer: str) -> list[tuple[str, Any]]:
    """The calls of a whole answer: names and arguments."""
    whole = json.loads(answer)
    made = [
        (call["function"]["name"], json.loads(call["function"]["arguments"]))
        for one in whole.get("choices", ())
        for call in one["message"].get("tool_calls") or ()
    ]
    made += [
        (item["name"], json.loads(item["arguments"]))
        for item in whole.get("output", ())
        if item["type"] == "function_call"
    ]
    return made + [
        (part["name"], part["input"]) for part in whole.get("content") or () if part["type"] == "tool_use"
    ]


def _pieces(stream: str) -> Iterator[str]:
    for line in stream.splitlines():
        if not line.startswith("data: {"):
            continue
        event = json.loads(line.removeprefix("data: "))
        for choice in event.get("choices", ()):
            yield choice.get("text") or choice.get("delta", {}).get("content") or ""
        if event.get("type") == "response.output_text.delta":
            yield event["delta"]
        if event.get("type") == "content_block_delta":
            yield event["delta"].get("text", "")
