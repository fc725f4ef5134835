"""The layer around all routes: request ids, keys, the size of bodies, measures, and one line of log for each request.

It is plain ASGI, so that streams and disconnects pass through it unchanged.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from structgen.server.answering.compiled import CLIENT
from structgen.server.keys import Keys
from structgen.server.measures import Measures
from structgen.server.problems import Problem, internal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

PROTECTED = "/v1/"
BEARER = re.compile(r"Bearer +(\S.*)", re.IGNORECASE)

log = logging.getLogger("structgen.server")


class BodyTooLarge(Exception):
    """The body is larger than the server reads."""


@dataclass(frozen=True, eq=False)
class Guard:
    """ASGI middleware around an application."""

    app: App
    keys: Keys
    measures: Measures
    body_bytes: int

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        watched = _Watched(send, f"req_{secrets.token_hex(16)}", time.perf_counter())
        scope["request_id"] = watched.id
        CLIENT.set(_client(scope))
        try:
            self._check_key(scope)
            await self.app(scope, self._limited(scope, receive), watched)
        except BodyTooLarge:
            await _refuse(self._too_large(), scope, receive, watched)
        except Problem as problem:
            await _refuse(problem, scope, receive, watched)
        except (
            Exception
        ) as error:  # whoever runs the application would log its message, which may quote the request
            log.error("request %s failed: %s", watched.id, _kind(error))
            await _refuse(internal(), scope, receive, watched)
        finally:
            self._record(scope, watched)

    def _check_key(self, scope: MutableMapping[str, Any]) -> None:
        """Raise Problem for a request to the model without one of the keys."""
        if self.keys.open or not scope["path"].startswith(PROTECTED):
            return
        given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        match = BEARER.fullmatch(given.strip())
        if match is None or not self.keys.accept(match[1]):
            said = "the API key is not one of this server's" if match else "an API key is needed"
            raise Problem(
                f"{said}: send it as Authorization: Bearer KEY",
                status=401,
                code="invalid_api_key",
                headers={"www-authenticate": "Bearer"},
            )

    def _limited(self, scope: MutableMapping[str, Any], receive: Receive) -> Receive:
        """The body, which raises BodyTooLarge beyond the limit."""
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.body_bytes:
            raise self._too_large()
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.body_bytes:
                raise BodyTooLarge
            return message

        return limited

    def _too_large(self) -> Problem:
        return Problem(
            f"the body is larger than the {self.body_bytes:,} bytes that this server reads",
            status=413,
            code="body_too_large",
        )

    def _record(self, scope: MutableMapping[str, Any], watched: _Watched) -> None:
        """Count the request, and log it without anything that it says."""
        route = scope.get("route")
        path = getattr(route, "path", None) or "other"
        seconds = time.perf_counter() - watched.begun
        self.measures.requests.labels(path, str(watched.status)).inc()
        self.measures.seconds.labels(path).observe(seconds)
        if not watched.ended:
            self.measures.disconnects.inc()
        line = {
            "request": watched.id,
            "method": scope["method"],
            "path": path,
            "status": watched.status,
            "seconds": round(seconds, 4),
            "bytes": watched.sent,
            "disconnected": not watched.ended,
        }
        log.info(json.dumps(line))


class _Watched:
    """The way to the client, with the request's id in the headers."""

    def __init__(self, send: Send, id: str, begun: float) -> None:
        self._send, self.id, self.begun = send, id, begun
        self.status, self.sent, self.ended = 0, 0, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {
                **message,
                "headers": [*message.get("headers", ()), (b"x-request-id", self.id.encode())],
            }
        elif message["type"] == "http.response.body":
            self.sent += len(message.get("body", b""))
            self.ended = not message.get("more_body", False)
        await self._send(message)


def _kind(error: BaseException) -> str:
    """An error without its message, which may hold a part of the request: its kind and the line that raised it."""
    frame: Any = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = "" if frame is None else f" at {frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
    return f"{type(error).__name__}{place}"


def _client(scope: MutableMapping[str, Any]) -> str:
    """Who asks: by the hash of the key, or else by the address."""
    given = dict(scope["headers"]).get(b"authorization")
    return (scope.get("client") or ("",))[0] if given is None else hashlib.sha256(given).hexdigest()


async def _refuse(
    problem: Problem, scope: MutableMapping[str, Any], receive: Receive, watched: _Watched
) -> None:
    if not watched.status:
        await problem.response()(scope, receive, watched)
