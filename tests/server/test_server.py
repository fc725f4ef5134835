"""The server itself: models, keys, limits, logs and measures."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import openai
import pytest
from jsonschema import Draft202012Validator

from structgen.server import ServerSettings, create_app
from structgen.server.workers import Job

from .conftest import Client

CHAT = {"messages": [{"role": "user", "content": "SECRET document"}]}
REGEX = {**CHAT, "structured_outputs": {"regex": "[ab]{3}"}}


def test_models_are_listed_and_found_by_each_name(client):
    names = [one.id for one in client(lambda one: one.models.list())]
    assert names == ["filler", "toy"]
    assert client(lambda one: one.models.retrieve("toy")).id == "toy"
    with pytest.raises(openai.NotFoundError) as caught:
        client(lambda one: one.models.retrieve("owner/other"))
    assert caught.value.code == "model_not_found"


def test_another_model_is_not_found(client):
    found = client.post("/v1/chat/completions", {**CHAT, "model": "gpt-6"})
    assert found.status_code == 404
    assert found.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("path", ["/health", "/ready", "/version", "/openapi.json", "/metrics"])
def test_the_server_tells_about_itself(client, path):
    found = client.post(path, "", method="GET")
    assert found.status_code == 200
    if path == "/metrics":
        assert "structgen_requests_total" in found.text


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/v1/nothing", "GET", 404), ("/v1/models", "PUT", 405)]
)
def test_other_paths_and_methods_have_the_same_shape_of_error(client, path, method, status):
    found = client.post(path, "", method=method)
    assert found.status_code == status
    assert found.json()["error"].keys() == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    "body", ["", "x", "[]", "1", '"x"', "{", "[" * 100_000, b"\xff\xfe", '{"messages": NaN}']
)
def test_a_body_that_is_no_request_is_refused(client, body):
    found = client.post("/v1/chat/completions", body)
    assert found.status_code == 400, found.text
    assert found.json()["error"]["message"]


class TestKeys:
    @pytest.fixture
    def keyed(self, model, tmp_path: Path):
        file = tmp_path / "keys"
        file.write_text("first\nsecond\n")
        app = create_app(model, ServerSettings(keys=("given",), key_file=file))
        yield app, file
        app.state.service.workers.close()

    def test_each_key_opens_and_no_other_does(self, keyed):
        app, _ = keyed
        for key in ("given", "first", "second"):
            assert Client(app, key).post("/v1/models", "", method="GET").status_code == 200
        with pytest.raises(openai.AuthenticationError) as caught:
            Client(app, "third")(lambda one: one.models.list())
        assert caught.value.code == "invalid_api_key"
        assert Client(app, "third").post("/health", "", method="GET").status_code == 200

    def test_keys_change_while_the_server_runs(self, keyed):
        app, file = keyed
        file.write_text("other\n")
        assert Client(app, "other").post("/v1/models", "", method="GET").status_code == 200
        assert Client(app, "first").post("/v1/models", "", method="GET").status_code == 401


class TestLimits:
    def test_a_large_body_is_refused(self, model):
        app = create_app(model, ServerSettings(body_bytes=1000))
        found = Client(app).post("/v1/chat/completions", {**CHAT, "user": "x" * 2000})
        assert found.status_code == 413
        assert found.json()["error"]["code"] == "body_too_large"

    def test_a_long_conversation_is_refused(self, model):
        app = create_app(model, ServerSettings(prompt_characters=10))
        found = Client(app).post("/v1/chat/completions", CHAT)
        assert found.status_code == 413
        assert found.json()["error"]["param"] == "/messages"

    def test_a_full_queue_says_when_to_come_back(self, model):
        app = create_app(model, ServerSettings(rows=1, waiting=0))
        workers, hold = app.state.service.workers, threading.Event()

        async def both(client: openai.AsyncOpenAI):
            job: Job[bool] = workers.submit(lambda job: hold.wait(10), lambda model, job, held: held)
            try:
                await client.chat.completions.create(model="filler", messages=CHAT["messages"])
            finally:
                hold.set()
                await job.result()

        with pytest.raises(openai.RateLimitError) as caught:
            Client(app)(both)
        assert caught.value.response.headers["retry-after"] == "1"
        assert "x-should-retry" not in caught.value.response.headers
        workers.close()


def test_a_client_that_leaves_frees_its_worker(app, client):
    import asyncio

    workers = app.state.service.workers

    async def leave(one: openai.AsyncOpenAI):
        stream = await one.chat.completions.create(
            model="toy", messages=CHAT["messages"], stream=True, extra_body={"structgen": {"canvas": True}}
        )
        await anext(aiter(stream))
        await stream.close()
        for _ in range(100):
            if not workers.pending:
                return
            await asyncio.sleep(0.05)

    client(leave)
    assert workers.pending == 0


def test_logs_hold_neither_documents_nor_keys(model, caplog):
    app = create_app(model, ServerSettings(keys=("TOPKEY",)))
    with caplog.at_level(logging.DEBUG):
        client = Client(app, "TOPKEY")
        assert client.post("/v1/chat/completions", REGEX).status_code == 200
        client.post("/v1/chat/completions", {**CHAT, "structured_outputs": {"regex": "(SECRET"}})
        client.post("/v1/SECRET", REGEX)
        Client(app, "SECRET").post("/v1/chat/completions", REGEX)
    said = "\n".join(str(vars(record)) for record in caplog.records if record.name.startswith("structgen"))
    assert "/v1/chat/completions" in said
    assert "SECRET" not in said
    assert "TOPKEY" not in said
    app.state.service.workers.close()


def test_measures_count_what_was_answered(model):
    app = create_app(model)
    client = Client(app)
    client.post("/v1/chat/completions", REGEX)
    text = client.post("/metrics", "", method="GET").text
    assert 'structgen_requests_total{path="/v1/chat/completions",status="200"} 1.0' in text
    assert "structgen_generated_tokens_total 0.0" not in text
    app.state.service.workers.close()


def test_a_fault_of_the_server_says_nothing_of_the_request(model, monkeypatch, caplog):
    app = create_app(model)

    def broken(*_: object) -> None:
        raise RuntimeError("SECRET document")

    monkeypatch.setattr("structgen.server.service.answers", broken)
    with caplog.at_level(logging.DEBUG):
        found = Client(app).post("/v1/chat/completions", REGEX, faults=True)
    assert found.status_code == 500
    assert "RuntimeError at" in caplog.text
    assert "SECRET" not in caplog.text
    assert "SECRET" not in found.text
    assert found.json()["error"]["type"] == "server_error"
    app.state.service.workers.close()


def test_the_description_says_what_is_understood(client):
    described = client.post("/openapi.json", "", method="GET").json()["components"]["schemas"]

    def valid(name: str, body: object) -> bool:
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": described}}
        return Draft202012Validator(schema).is_valid(body)

    said = [{"role": "user", "content": [{"type": "text", "text": "x"}]}]
    for good in ({}, {"logit_bias": None}, {"modalities": ["text"]}, {"response_format": {"type": "text"}}):
        assert valid("ChatRequest", {"messages": said, **good})
        assert client.post("/v1/chat/completions", {"messages": said, **good}).status_code == 200
    bad = (
        {"logit_bias": {"1": 5}},
        {"messages": [{"role": "user"}]},
        {"tools": [{"type": "function"}]},
        {"x": 1},
    )
    for one in bad:
        assert not valid("ChatRequest", {"messages": said, **one})
        assert client.post("/v1/chat/completions", {"messages": said, **one}).status_code == 400
    question = {"q": {"type": "noul", "instructions": " "}}
    assert not valid("SystemOneRequest", {"state": "x", "questions": question})
    assert client.post("/v1/systemone", {"state": "x", "questions": question}).status_code == 400
