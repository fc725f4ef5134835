"""Requests without a network: each goes through the application as it would over HTTP, and gets the same answer."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from fastapi import FastAPI

from structgen.generation.plain import json_line, json_value
from structgen.server.problems import Problem

T = TypeVar("T")
Message = MutableMapping[str, Any]


@dataclass(frozen=True)
class OfflineRequest:
    """A request to a path of the server, with a body that JSON can hold."""

    method: str
    url: str
    body: Any


@dataclass(frozen=True)
class OfflineResponse:
    """The response to a request. request_id: as in the header x-request-id; body: the value of its JSON, or its text"""

    status: int
    request_id: str
    body: Any


def answered(
    app: FastAPI, requests: Iterable[tuple[T, OfflineRequest]], together: int
) -> Iterator[tuple[T, OfflineResponse]]:
    """The responses to requests, as they are finished, each with what its request was given with.

    app: of `create_app`; together: requests in work at a time
    """
    source, pending = iter(requests), dict[asyncio.Task[OfflineResponse], T]()
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        try:
            while True:
                for given, request in islice(source, together - len(pending)):
                    pending[loop.create_task(_response(app, request))] = given
                if not pending:
                    return
                done = runner.run(_some(pending))
                for task in [task for task in pending if task in done]:
                    yield pending.pop(task), task.result()
        finally:
            for task in pending:
                task.cancel()


async def _some(pending: Iterable[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    done, _ = await asyncio.wait(list(pending), return_when=asyncio.FIRST_COMPLETED)
    return done


async def _response(app: FastAPI, request: OfflineRequest) -> OfflineResponse:
    """What the application sends."""
    if isinstance(request.body, dict) and request.body.get("stream"):
        problem = Problem(
            "a batch has no streams: leave stream out", param="/stream", code="unsupported_parameter"
        )
        return OfflineResponse(problem.status, f"req_{secrets.token_hex(16)}", problem.body)
    content, parts, status, headers = (
        json_line(request.body).encode(),
        list[bytes](),
        500,
        dict[bytes, bytes](),
    )
    messages: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        return await asyncio.get_running_loop().create_future()  # nobody disconnects

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], dict(message["headers"])
        else:
            parts.append(message.get("body", b""))

    await app(_scope(request, content), receive, send)
    text, kind = b"".join(parts).decode(), headers.get(b"content-type", b"")
    body = json_value(text) if kind.startswith(b"application/json") else text
    return OfflineResponse(status, headers.get(b"x-request-id", b"").decode(), body)


def _scope(request: OfflineRequest, content: bytes) -> Message:
    path, _, query = request.url.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ],
        "client": None,
        "server": None,
    }
