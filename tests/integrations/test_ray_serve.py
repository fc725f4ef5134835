"""The server in Ray Serve: answers, streams and refusals through Serve's proxy. Part of `make test-ray`."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("ray.serve", reason="Ray Serve is not installed: run `make test-ray`")

import ray
from ray import serve

from batch.command import toy
from integrations.ray_cluster import running
from structgen.integrations.serve import application
from structgen.server import ServerSettings

COLOUR = {"type": "object", "properties": {"colour": {"enum": ["red", "green"]}}, "required": ["colour"]}
CHAT = {
    "messages": [{"role": "user", "content": "The car is red."}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "it", "schema": COLOUR}},
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where the application answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with running(2) as address:
        ray.init(address=address, log_to_driver=False)
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(application(toy, ServerSettings(names=("other",)), num_cpus=0.5))
        yield f"http://127.0.0.1:{port}"
        serve.shutdown()
        ray.shutdown()


def post(url: str, body: Any) -> tuple[int, str]:
    """The status and the text of a response."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=300) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_an_answer_keeps_the_schema(url: str):
    status, text = post(f"{url}/v1/chat/completions", {**CHAT, "model": "other"})
    content = json.loads(text)["choices"][0]["message"]["content"]
    assert (status, json.loads(content)["colour"] in ("red", "green")) == (200, True)


def test_a_stream_comes_in_events(url: str):
    status, text = post(f"{url}/v1/chat/completions", {**CHAT, "stream": True})
    events = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    assert (status, events[-1]) == (200, "[DONE]")
    parts = [json.loads(one)["choices"][0]["delta"].get("content") or "" for one in events[:-1]]
    assert json.loads("".join(parts))["colour"] in ("red", "green")


def test_a_refusal_says_where(url: str):
    status, text = post(f"{url}/v1/chat/completions", {**CHAT, "nonsense": 1})
    assert (status, json.loads(text)["error"]["param"]) == (400, "/nonsense")
    assert post(f"{url}/v1/chat/completions", {**CHAT, "model": "third"})[0] == 404
