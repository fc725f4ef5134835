"""A schema that takes long to compile holds nobody up but whoever asked for it."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from structgen.compiler.constraint import Constraint
from structgen.model import Model
from structgen.server import ServerSettings, create_app
from structgen.server.answering import compiled
from structgen.server.answering.compiled import Compiling
from structgen.sources import Regex

from .conftest import Client

SAID = [{"role": "user", "content": "x"}]
PATH = "/v1/chat/completions"


def regex(pattern: str) -> dict[str, object]:
    return {"messages": SAID, "structured_outputs": {"regex": pattern}}


@pytest.fixture(scope="module")
def apart(model: Model) -> Iterator[FastAPI]:
    """A server of one compiling process, where a client may have two constraints compiled at once."""
    app = create_app(model, ServerSettings(compile_seconds=2, compiling=2))
    yield app
    app.state.service.workers.close()


def together(app: FastAPI, *bodies: object) -> list[tuple[int, httpx2.Response]]:
    """The place of each body and its response, in the order in which they came."""

    async def run(client: httpx2.AsyncClient) -> list[tuple[int, httpx2.Response]]:
        found: list[tuple[int, httpx2.Response]] = []

        async def ask(index: int, body: object) -> None:
            found.append((index, await client.post(PATH, json=body)))

        await asyncio.gather(*(ask(index, body) for index, body in enumerate(bodies)))
        return found

    async def connected() -> list[tuple[int, httpx2.Response]]:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test", timeout=120) as client:
            return await run(client)

    return asyncio.run(connected())


def test_a_known_schema_is_answered_while_another_is_compiled(apart: FastAPI):
    assert Client(apart).post(PATH, regex("[ab]{3}")).status_code == 200
    replies = together(apart, regex("a{99999990}"), regex("[ab]{3}"))
    assert [(index, reply.status_code) for index, reply in replies] == [(1, 200), (0, 400)]
    assert replies[1][1].json()["error"]["param"] == "/structured_outputs/regex"


def test_what_was_refused_is_refused_at_once(apart: FastAPI):
    for _ in range(2):
        hits = apart.state.service.sources.hits
        assert Client(apart).post(PATH, regex("a{99999991}")).status_code == 400
    assert apart.state.service.sources.hits > hits


def test_one_client_cannot_have_everything_compiled(apart: FastAPI):
    replies = dict(together(apart, *(regex(f"a{{9999999{digit}}}") for digit in "345")))
    refused = [reply for reply in replies.values() if reply.status_code == 429]
    assert len(refused) == 1
    assert refused[0].headers["retry-after"] == "1"
    assert sorted(reply.status_code for reply in replies.values()) == [400, 400, 429]


def test_equal_schemas_are_compiled_once(apart: FastAPI):
    before = apart.state.service.sources.misses
    replies = together(apart, *([regex("(ab){6}a?")] * 5))
    assert {reply.status_code for _, reply in replies} == {200}
    assert apart.state.service.sources.misses == before + 1


NAMED = {
    "type": "object",
    "properties": {"name": {"type": "string", "x-verbatim": True, "maxLength": 12}},
    "required": ["name"],
    "additionalProperties": False,
}


def copying(document: str, schema: object = NAMED) -> dict[str, object]:
    form = {"type": "json_schema", "json_schema": {"name": "one", "schema": schema}}
    return {"messages": [{"role": "user", "content": document}], "response_format": form}


def names(first: int, count: int) -> str:
    return " ".join(f"Ann{number}" for number in range(first, first + count))


def test_long_documents_are_bound_by_another_process(model: Model, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compiled, "SHORT", 100)
    bound, bind = list[str](), Constraint.bind

    def noted(self: Constraint[Any], document: Any) -> Any:
        if self.document is None:
            bound.append(document)
        return bind(self, document)

    monkeypatch.setattr(Constraint, "bind", noted)
    app = create_app(model, ServerSettings())
    documents = [names(0, 3), names(10, 60), names(10, 60), names(100, 60)]
    for index, reply in together(app, *map(copying, documents)):
        said = json.loads(reply.json()["choices"][0]["message"]["content"])
        assert said["name"] in documents[index]
    assert bound == documents[:1]
    sources = app.state.service.sources
    assert sources.misses == 3  # the schema, and two documents of which one was asked about twice
    gc.collect()
    assert not sources._bound
    app.state.service.workers.close()


def test_why_a_long_document_is_not_bound_is_said_of_its_schema(
    model: Model, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(compiled, "SHORT", 100)
    app = create_app(model, ServerSettings())
    schema = {**NAMED, "properties": {"name": {"type": "string", "x-verbatim": True, "minLength": 1000}}}
    for _ in range(2):
        reply = Client(app).post(PATH, copying(names(0, 60), schema))
        assert reply.status_code == 400
        assert reply.json()["error"]["param"].startswith("/response_format/json_schema/schema")
    app.state.service.workers.close()


def test_without_a_cache_on_disk_a_process_compiles_too(model: Model, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRUCTGEN_CACHE", "")
    app = create_app(model, ServerSettings(compile_seconds=2))
    assert Client(app).post(PATH, regex("[ab]{3}")).status_code == 200
    replies = together(app, regex("a{99999997}"), regex("[ab]{3}"), regex("(ab){5}b?"))
    assert [(index, reply.status_code) for index, reply in replies] == [(1, 200), (0, 400), (2, 200)]
    app.state.service.sources.close()
    app.state.service.workers.close()


def test_a_server_without_processes_that_compile_compiles_itself(model: Model):
    app = create_app(model, ServerSettings(compilers=0))
    assert Client(app).post(PATH, regex("(ab){5}b?")).status_code == 200
    app.state.service.workers.close()


def test_a_server_that_ends_does_not_wait_for_what_is_compiled(model: Model):
    sources = create_app(model, ServerSettings(compile_seconds=60)).state.service.sources
    with pytest.raises(Compiling) as caught:
        sources.get("long", Regex("a{99999996}b"))
    done = caught.value.done
    while not done.running():
        time.sleep(0.01)
    begun = time.monotonic()
    sources.close()
    wait([done], 30)
    assert done.done()  # it was refused, or its process has not even started
    assert time.monotonic() - begun < 30


def test_what_waits_to_be_compiled_is_given_up_when_the_server_ends(model: Model):
    sources = create_app(model, ServerSettings(compile_seconds=59)).state.service.sources
    waiting: list[Future[Any]] = []
    for digit in "12":
        with pytest.raises(Compiling) as caught:
            sources.get(digit, Regex(f"a{{9999999{digit}}}c"))
        waiting.append(caught.value.done)
    while not waiting[0].running():
        time.sleep(0.01)
    sources.close()
    assert waiting[1].cancelled()
    wait(waiting[:1], 30)
    assert waiting[0].done()
