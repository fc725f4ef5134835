"""Responses: the whole object, and the events of a stream."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from structgen.server.answering.answer import Began, CanvasFrame, Ended, Outcome
from structgen.server.answering.logprobs import TokenLogprob
from structgen.server.answering.telling import BegunCall, CallBegan, CallEnded, CallGrew, Grew
from structgen.server.asking.ask import Ask
from structgen.server.replies.details import details_of
from structgen.server.replies.events import event
from structgen.server.wire.responses import ResponsesRequest

Event = tuple[str, dict[str, Any]]  # type and fields


def _id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(24)}"


def _logprob(one: TokenLogprob) -> dict[str, Any]:
    return {"token": one.text, "logprob": max(one.nats, -9999.0), "bytes": list(one.spelled)}


def _logprobs(outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {**_logprob(one), "top_logprobs": [_logprob(other) for other in one.top]}
        for one in outcome.logprobs or ()
    ]


def _text_part(text: str, logprobs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs}


def _call_item(call: BegunCall, text: str, status: str = "completed") -> dict[str, Any]:
    """A call with this text of arguments, or of a custom tool."""
    named = {"id": _item_id(call), "call_id": call.id, "name": call.name}
    if call.custom:
        return {"type": "custom_tool_call", **named, "input": text}
    return {"type": "function_call", **named, "arguments": text, "status": status}


def _item_id(call: BegunCall) -> str:
    return f"{'ctc' if call.custom else 'fc'}_{call.id.removeprefix('call_')}"


def _call_items(outcome: Outcome) -> list[dict[str, Any]]:
    return [
        _call_item(BegunCall(number, call.id, call.name, call.tool.custom), call.text)
        for number, call in enumerate(outcome.saying.calls)
    ]


@dataclass(frozen=True)
class ResponseReply:
    """The answer to one request for a response."""

    ask: Ask
    body: ResponsesRequest
    model: str
    id: str = field(default_factory=lambda: _id("resp"))
    created: float = field(default_factory=lambda: float(int(time.time())))

    def whole(self, outcome: Outcome) -> dict[str, Any]:
        """The object of a finished response."""
        return self._completed(outcome, _call_items(outcome) or [self._message(outcome, _id("msg"))])

    def _completed(self, outcome: Outcome, items: list[dict[str, Any]]) -> dict[str, Any]:
        details = details_of(outcome, details=self.ask.details)
        head = self._head("completed", items)
        return {**head, "completed_at": time.time(), "usage": _usage(outcome), "structgen": details}

    def _message(self, outcome: Outcome, id: str) -> dict[str, Any]:
        content = [_text_part(outcome.saying.content or "", _logprobs(outcome))]
        return {"type": "message", "id": id, "role": "assistant", "status": "completed", "content": content}

    def _head(self, status: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        body = self.body
        text = {"format": (body.text and body.text.format) or {"type": "text"}}
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": body.instructions,
            "max_output_tokens": body.max_output_tokens,
            "metadata": body.metadata or {},
            "model": self.model,
            "output": items,
            "parallel_tool_calls": body.parallel_tool_calls is not False,
            "previous_response_id": None,
            "store": False,
            "temperature": body.temperature,
            "text": text,
            "tool_choice": body.tool_choice or "auto",
            "tools": body.tools or [],
            "top_logprobs": body.top_logprobs,
            "top_p": body.top_p,
            "truncation": "disabled",
            "usage": None,
        }

    async def events(self, told: AsyncIterator[Any]) -> AsyncIterator[str]:
        """The stream, with every event numbered."""
        numbers, message = count(), _id("msg")
        for name in ("response.created", "response.in_progress"):
            yield _numbered((name, {"response": self._head("in_progress", [])}), numbers)
        opened = False
        async for one in told:
            for found in self._events_of(one, message, opened):
                opened = opened or found[0] == "response.content_part.added"
                yield _numbered(found, numbers)

    def _events_of(self, one: Any, message: str, opened: bool) -> Iterator[Event]:
        if isinstance(one, Grew):
            if not opened:
                yield from _message_begins(message)
            yield _delta(message, one.text, [])
        elif isinstance(one, CanvasFrame):
            yield "structgen.canvas", {"canvas": one.still.to_dict()}
        elif isinstance(one, CallBegan | CallGrew | CallEnded):
            yield from _told_call(one)
        elif isinstance(one, Ended) and one.outcome.saying.calls:
            items = _call_items(one.outcome)
            yield "response.completed", {"response": self._completed(one.outcome, items)}
        elif isinstance(one, Ended):
            if not opened:
                yield from _message_begins(message)
            yield from self._message_ends(one, message)
        else:
            assert isinstance(one, Began)

    def _message_ends(self, ended: Ended, id: str) -> Iterator[Event]:
        outcome = ended.outcome
        place: dict[str, Any] = {"item_id": id, "output_index": 0, "content_index": 0}
        text, logprobs = outcome.saying.content or "", _logprobs(outcome)
        if text[ended.shown :]:
            yield _delta(id, text[ended.shown :], logprobs)
        yield "response.output_text.done", {**place, "text": text, "logprobs": logprobs}
        yield "response.content_part.done", {**place, "part": _text_part(text, logprobs)}
        item = self._message(outcome, id)
        yield "response.output_item.done", {"output_index": 0, "item": item}
        yield "response.completed", {"response": self._completed(outcome, [item])}


def _told_call(one: CallBegan | CallGrew | CallEnded) -> Iterator[Event]:
    """What the stream says of a call that begins, of more of its arguments, or of its end."""
    call, index = one.call, one.call.number
    if isinstance(one, CallBegan):
        item = _call_item(call, "", "in_progress")
        yield "response.output_item.added", {"output_index": index, "item": item}
        return
    name, field = (
        ("custom_tool_call_input", "input") if call.custom else ("function_call_arguments", "arguments")
    )
    place: dict[str, Any] = {"item_id": _item_id(call), "output_index": index}
    if isinstance(one, CallGrew):
        yield f"response.{name}.delta", {**place, "delta": one.text}
        return
    yield f"response.{name}.done", {**place, field: one.text, **({} if call.custom else {"name": call.name})}
    yield "response.output_item.done", {"output_index": index, "item": _call_item(call, one.text)}


def _message_begins(id: str) -> Iterator[Event]:
    item = {"type": "message", "id": id, "role": "assistant", "status": "in_progress", "content": []}
    yield "response.output_item.added", {"output_index": 0, "item": item}
    part = {"item_id": id, "output_index": 0, "content_index": 0, "part": _text_part("", [])}
    yield "response.content_part.added", part


def _delta(id: str, text: str, logprobs: list[dict[str, Any]]) -> Event:
    place: dict[str, Any] = {"item_id": id, "output_index": 0, "content_index": 0}
    return "response.output_text.delta", {**place, "delta": text, "logprobs": logprobs}


def _numbered(found: Event, numbers: Iterator[int]) -> str:
    name, fields = found
    return event({"type": name, "sequence_number": next(numbers), **fields}, name)


def _usage(outcome: Outcome) -> dict[str, Any]:
    return {
        "input_tokens": outcome.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": outcome.tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": outcome.prompt_tokens + outcome.tokens,
    }
