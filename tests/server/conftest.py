"""A server around a toy model, inside the process: OpenAI's own client talks to it through ASGI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
pytest.importorskip("openai", reason="openai is not installed")

import anyio.from_thread
import httpx2
from fastapi import FastAPI
from openai import AsyncOpenAI

from minis import hasty
from structgen.model import Model
from structgen.server import ServerSettings, create_app


class Client:
    """What the asynchronous client of OpenAI gets from an application, called from tests that are not async."""

    def __init__(self, app: FastAPI, key: str = "any") -> None:
        self.app, self.key = app, key

    def __call__(self, ask: Callable[[AsyncOpenAI], Any]) -> Any:
        """The result of what `ask` awaits; a stream is read to its end and given as a list."""

        async def run() -> Any:
            transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with AsyncExitStack() as stack:
                http = await stack.enter_async_context(
                    httpx2.AsyncClient(transport=transport, base_url="http://test/v1")
                )
                client = AsyncOpenAI(
                    api_key=self.key, base_url="http://test/v1", http_client=http, max_retries=0
                )
                found = await ask(client)
                return [one async for one in found] if hasattr(found, "__aiter__") else found

        with anyio.from_thread.start_blocking_portal() as portal:
            return portal.call(run)

    def post(self, path: str, body: Any, *, faults: bool = False, **how: Any) -> httpx2.Response:
        """The response to a body as it is, text or anything that JSON can hold.

        faults: raise what the application raises, as those who run it would log it
        """

        async def run() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=faults)
            async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
                given = {"content": body} if isinstance(body, str | bytes) else {"json": body}
                headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
                return await http.request(how.pop("method", "POST"), path, headers=headers, **given, **how)

        with anyio.from_thread.start_blocking_portal() as portal:
            return portal.call(run)


@pytest.fixture(scope="session")
def model() -> Model:
    return hasty()


@pytest.fixture(scope="session")
def app(model: Model) -> Iterator[FastAPI]:
    app = create_app(model, ServerSettings(names=("toy",)))
    yield app
    app.state.service.workers.close()


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Client:
    return Client(app)
