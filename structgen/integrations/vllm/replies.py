"""What a client gets back: refusals, and answers without what vLLM leaves in them.

The engine cannot say what went wrong with a request: it ends it without output. An empty text would pass for an answer,
so where the constraint accepts no empty text it becomes an error, which names the request in the server's log.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from structgen.errors import InvalidSource, StructgenError, Unsupported
from structgen.tokens.vocabulary import PREFACE

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

# vLLM 0.32 separates an empty thought from a complete answer, but streams it as text if thinking is off.
STREAMED = re.compile(rb'"(content|delta|text)": ?"' + re.escape(json.dumps("".join(PREFACE))[1:-1].encode()))

# what an event of a stream says of an answer, in any of the endpoints; thoughts have other names
SAID = re.compile(
    rb'"(content|text|arguments|partial_json)": ?"[^"]|"response\.(output_text|function_call_arguments)\.delta"'
)
TEXTS = ("output_text", "text")
DONE = b"data: [DONE]"
JSON_HEADERS = ((b"content-type", b"application/json"),)


def problem(message: str, status: int, param: str | None = None) -> dict[str, Any]:
    """An error in OpenAI's form; param: the JSON pointer of the cause."""
    kind = "BadRequestError" if status < 500 else "InternalServerError"
    return {"error": {"message": message, "type": kind, "param": param, "code": status}}


async def refuse(send: Send, error: StructgenError) -> None:
    """Send a 400 response that gives the reason."""
    pointer = error.pointer if isinstance(error, InvalidSource | Unsupported) else None
    await send_problem(send, problem(str(error), 400, pointer))


async def send_problem(send: Send, told: Mapping[str, Any]) -> None:
    """Send a response that is an error."""
    content = json.dumps(told).encode()
    headers = [*JSON_HEADERS, (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": told["error"]["code"], "headers": headers})
    await send({"type": "http.response.body", "body": content})


def without_thought(send: Send) -> Send:
    """Send events without the empty thought at the start of an answer; each event is one message."""

    async def send_rest(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": STREAMED.sub(rb'"\1":"', message.get("body", b""))}
        await send(message)

    return send_rest


class Answered:
    """A `send` that turns an answer without text or calls into an error."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None  # of a response that is held back until its body is known
        self._body, self._streams, self._said = b"", False, False
        self._name = ""

    async def __call__(self, message: Message) -> None:
        """Pass a message on, or hold it back."""
        if message["type"] == "http.response.start":
            kind = dict(message.get("headers", ())).get(b"content-type", b"")
            self._streams = kind.startswith(b"text/event-stream")
            if message["status"] != 200 or self._streams:
                self._said = message["status"] != 200
                return await self._send(message)
            self._start = message
        elif message["type"] != "http.response.body":
            await self._send(message)
        elif self._start is not None:
            await self._whole(message)
        else:
            await self._event(message)

    async def _whole(self, message: Message) -> None:
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        assert self._start is not None
        missing = _missing(self._body)
        if missing is not None:
            return await send_problem(self._send, problem(_sentence(missing), 500))
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": self._body})

    async def _event(self, message: Message) -> None:
        body = message.get("body", b"")
        self._said = self._said or SAID.search(body) is not None
        if not self._name and (found := re.search(rb'"id": ?"([^"]+)"', body)):
            self._name = found[1].decode(errors="replace")
        last = DONE in body or not message.get("more_body", False)
        if self._streams and last and not self._said:
            self._said = True
            event = f"data: {json.dumps(problem(_sentence(self._name), 500))}\n\n".encode()
            message = {**message, "body": event + body}
        await self._send(message)


def _sentence(name: str) -> str:
    return (
        f"the request {name} was ended without an answer: what went wrong is in the server's log, or the prompt leaves "
        "less room than the shortest answer takes"
    )


def _missing(raw: bytes) -> str | None:
    """The id of an answer of which a choice has neither text nor calls; None if all have."""
    try:
        answer = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(answer, dict):
        return None
    said = [one.get("message", one) for one in answer.get("choices") or ()]
    if said:
        full = all(one.get("content") or one.get("text") or one.get("tool_calls") for one in said)
    else:  # responses have `output`, Anthropic's messages `content`
        parts = [part for item in answer.get("output") or () for part in (item, *(item.get("content") or ()))]
        parts += answer.get("content") or ()
        full = any(
            part.get("type") in ("function_call", "tool_use")
            or (part.get("type") in TEXTS and part.get("text"))
            for part in parts
        )
    return None if full else str(answer.get("id", ""))
