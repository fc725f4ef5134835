"""Chat completions: the whole object, and the chunks of a stream."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from structgen.server.answering.answer import Began, CanvasFrame, Ended, Outcome
from structgen.server.answering.logprobs import TokenLogprob
from structgen.server.answering.telling import CallBegan, CallGrew, Grew
from structgen.server.asking.ask import Ask
from structgen.server.replies.details import details_of
from structgen.server.replies.events import event


def finish_reason(ask: Ask, outcome: Outcome) -> str:
    """Why an answer ended: never because of its length."""
    return "tool_calls" if outcome.saying.calls and not ask.named else "stop"


def usage_of(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The tokens that were read once, and those that were written."""
    prompt = outcomes[0].prompt_tokens if outcomes else 0
    written = sum(one.tokens for one in outcomes)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _logprobs(tokens: Sequence[TokenLogprob] | None) -> dict[str, Any] | None:
    if tokens is None:
        return None
    return {
        "content": [_token(one) | {"top_logprobs": list(map(_token, one.top))} for one in tokens],
        "refusal": None,
    }


def _token(one: TokenLogprob) -> dict[str, Any]:
    return {"token": one.text, "logprob": max(one.nats, -9999.0), "bytes": list(one.spelled)}


def _message(outcome: Outcome) -> dict[str, Any]:
    said = outcome.saying
    message: dict[str, Any] = {
        "role": "assistant",
        "content": said.content,
        "refusal": None,
        "annotations": [],
    }
    if said.calls:
        return {**message, "content": None, "tool_calls": [call.to_dict() for call in said.calls]}
    return {**message, "content": said.content or ""}


@dataclass(frozen=True)
class ChatReply:
    """The answer to one chat: its id, its model, and the time at which it began."""

    ask: Ask
    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """The object with all choices."""
        return {
            **self._head("chat.completion"),
            "choices": [self._choice(index, one) for index, one in enumerate(outcomes)],
            "usage": usage_of(outcomes),
            "structgen": details_of(outcomes[0], details=self.ask.details),
        }

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "service_tier": "default",
            "system_fingerprint": None,
        }

    def _choice(self, index: int, outcome: Outcome) -> dict[str, Any]:
        choice = {
            "index": index,
            "message": _message(outcome),
            "logprobs": _logprobs(outcome.logprobs),
            "finish_reason": finish_reason(self.ask, outcome),
        }
        return choice | ({"structgen": details_of(outcome, details=self.ask.details)} if index else {})

    async def chunks(self, told: AsyncIterator[Any], *, usage: bool) -> AsyncIterator[str]:
        """The stream: chunks with what has settled, the reason for the end, and the usage if it is wanted."""
        outcomes: list[Outcome] = []
        async for one in told:
            if isinstance(one, Began):
                yield self._chunk(one.index, {"role": "assistant", "content": "", "refusal": None})
            elif isinstance(one, Grew):
                yield self._chunk(one.index, {"content": one.text})
            elif isinstance(one, CallBegan | CallGrew):
                yield self._chunk(one.index, {"tool_calls": [_delta(one)]})
            elif isinstance(one, CanvasFrame):
                yield self._frame(one)
            elif isinstance(one, Ended):
                outcomes.append(one.outcome)
                for chunk in self._end(one):
                    yield chunk
        if usage:
            yield event({**self._head("chat.completion.chunk"), "choices": [], "usage": usage_of(outcomes)})
        yield event("[DONE]")

    def _end(self, ended: Ended) -> list[str]:
        """The rest of an answer: what is left of its text, and the reason for the end."""
        outcome, index, found = ended.outcome, ended.index, list[str]()
        if outcome.generation is None:
            found.append(self._chunk(index, {"role": "assistant", "content": "", "refusal": None}))
        rest = (outcome.saying.content or "")[ended.shown :]
        logprobs = _logprobs(outcome.logprobs)
        if (rest or logprobs) and not outcome.saying.calls:
            found.append(self._chunk(index, {"content": rest}, logprobs=logprobs))
        details = {"structgen": details_of(outcome, details=self.ask.details)}
        return [*found, self._chunk(index, {}, finish_reason(self.ask, outcome), more=details)]

    def _chunk(
        self,
        index: int,
        delta: dict[str, Any],
        reason: str | None = None,
        *,
        logprobs: dict[str, Any] | None = None,
        more: dict[str, Any] | None = None,
    ) -> str:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
        return event({**self._head("chat.completion.chunk"), "choices": [choice], **(more or {})})

    def _frame(self, frame: CanvasFrame) -> str:
        canvas = {"canvas": {"index": frame.index, **frame.still.to_dict()}}
        return event({**self._head("chat.completion.chunk"), "choices": [], "structgen": canvas})


def _delta(one: CallBegan | CallGrew) -> dict[str, Any]:
    """The beginning of a call, or more of its arguments."""
    call = one.call
    if isinstance(one, CallGrew):
        return {"index": call.number, "function": {"arguments": one.text}}
    function = {"name": call.name, "arguments": ""}
    return {"index": call.number, "id": call.id, "type": "function", "function": function}
