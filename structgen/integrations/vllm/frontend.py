"""The server's half: it reads requests before vLLM does and rejects them when the constraint cannot be enforced.

This is an endpoint plugin of vLLM. It adds no route but a layer around all routes, inside vLLM's authentication. It
compiles the constraint of a request on a thread and passes it on in a field that vLLM does not interpret. A rejection
is a 400 response in OpenAI's form that says what is wrong, where, and what to do. Requests without a constraint are
passed on unchanged.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any

from structgen.compiler.constraint import Constraint
from structgen.errors import InvalidOption, InvalidSource, StructgenError, Unsatisfiable, Unsupported
from structgen.integrations.vllm.asked import CANVAS_OPTIONS, Asked, ThoughtMode, placed, taken
from structgen.integrations.vllm.canvas import shorter_canvas, with_canvas
from structgen.integrations.vllm.constraints import SERVED_SECONDS, SLOW_PROCESSES, Constraints
from structgen.integrations.vllm.fields import PATHS, Endpoint, asked_to_think, refuse_fatal, refuse_fields
from structgen.integrations.vllm.replies import (
    Answered,
    Message,
    Send,
    problem,
    refuse,
    send_problem,
    without_thought,
)
from structgen.integrations.vllm.tools import calls_or, taken_calls
from structgen_engine.decoding.row import BudgetTooSmall, affordable

BUDGETS = ("max_completion_tokens", "max_tokens", "max_output_tokens")  # the first that is given counts
SECONDS_VARIABLE = "STRUCTGEN_COMPILE_SECONDS"
MOST_BYTES = 32 << 20  # of a body; longer ones go to vLLM unread

log = logging.getLogger("vllm.structgen")

Receive = Callable[[], Awaitable[Message]]


class Frontend:
    """The plugin object that vLLM's entry point `vllm.endpoint_plugins` creates."""

    name = "structgen"
    required_tasks = ("generate",)

    def __init__(self) -> None:
        self._constraints: Constraints | None = None
        self._thoughts_parted = self._thinking = self._compact = False
        self._longest = self._canvas = 0  # tokens that an output can have, and positions of a canvas
        self._tool_parser: str | None = None

    def attach_router(self, app: Any) -> None:
        """Called by vLLM while it builds its application."""
        app.add_middleware(Middleware, frontend=self)

    async def init_state(self, engine_client: Any, state: Any, args: Any) -> None:
        """Called by vLLM when the engine runs; other kinds of models are ignored."""
        if engine_client is None or not getattr(engine_client.model_config, "is_diffusion", False):
            return
        model = engine_client.model_config
        options = engine_client.vllm_config.structured_outputs_config
        self._thoughts_parted = bool(options.reasoning_parser)
        self._compact = bool(options.disable_any_whitespace)
        defaults = getattr(args, "default_chat_template_kwargs", None) or {}
        self._thinking = bool(defaults.get("enable_thinking", False))
        self._longest = model.max_model_len - 1
        diffusion = getattr(engine_client.vllm_config, "diffusion_config", None)
        self._canvas = getattr(diffusion, "canvas_length", None) or 0
        self._tool_parser = getattr(args, "tool_call_parser", None)
        tokenizer = engine_client.renderer.get_tokenizer
        self._constraints = Constraints(
            tokenizer, model.get_vocab_size(), seconds=_seconds(), processes=SLOW_PROCESSES
        )
        self._constraints.warm()

    @property
    def ready(self) -> bool:
        """Whether the served model needs this plugin."""
        return self._constraints is not None

    async def rewritten(self, path: str, body: dict[str, Any]) -> tuple[Asked, Constraint[Any]] | None:
        """The constraint of a request, as asked for and as compiled; None if the body has none.

        It is moved to where the engine finds it.

        Raises StructgenError if the constraint cannot be enforced.
        """
        assert self._constraints is not None
        endpoint = Endpoint.of(path, body)
        if endpoint is None:
            return None
        refuse_fatal(endpoint, body)
        asked = taken(body, compact=self._compact)
        calls = taken_calls(body, self._tool_parser, endpoint)
        if calls is not None:
            asked = calls if asked is None else calls_or(calls, asked)
        if asked is None:
            return None
        refuse_fields(body)
        arguments = body.get("vllm_xargs") or {}
        if not isinstance(arguments, dict):
            raise InvalidSource("vllm_xargs is an object")
        if own := [name for name in CANVAS_OPTIONS if arguments.get(name)]:
            raise Unsupported(f"{own[0]} beside a constraint is not supported", remedy="give one of them")
        asked = replace(asked, preface=self._preface(endpoint, body))
        # shielded: a client that disconnects must not cancel a compilation that others wait for
        constraint = await asyncio.shield(asyncio.wrap_future(self._constraints.submit(asked)))
        budget = next((body[name] for name in BUDGETS if isinstance(body.get(name), int)), self._longest)
        budget = min(budget, self._longest)
        try:
            affordable(constraint.automaton, 0, budget)
        except BudgetTooSmall as error:
            raise Unsatisfiable(
                f"{error.need}; this request may have {error.max_tokens}", min_tokens=error.min_tokens
            ) from None
        body["vllm_xargs"] = with_canvas(arguments, shorter_canvas(constraint, budget, self._canvas))
        placed(body, asked)
        return asked, constraint

    def _preface(self, endpoint: Endpoint, body: dict[str, Any]) -> ThoughtMode:
        if not endpoint.converses:
            return ThoughtMode.NONE
        thinking = asked_to_think(body)
        if thinking is None:
            thinking = self._thinking
        if self._thoughts_parted:
            return ThoughtMode.THINKING if thinking else ThoughtMode.SILENT
        if thinking:
            raise Unsupported(
                "thoughts before a constrained answer would become part of it",
                remedy="start the server with --reasoning-parser gemma4, which parts the two",
            )
        return ThoughtMode.NONE


def _seconds() -> float:
    """CPU time for one constraint, from the environment; raises InvalidOption if it is no positive number."""
    given = os.environ.get(SECONDS_VARIABLE, "")
    try:
        seconds = float(given or SERVED_SECONDS)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise InvalidOption(f"{SECONDS_VARIABLE} is a positive number of seconds, not {given!r}")
    return seconds


class Middleware:
    """ASGI middleware that passes the bodies of requests through the frontend."""

    def __init__(self, app: Callable[..., Awaitable[None]], frontend: Frontend) -> None:
        self._app, self._frontend = app, frontend

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not self._frontend.ready:
            return await self._app(scope, receive, send)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path not in PATHS:
            return await self._app(scope, receive, send)
        broken, raw = await _read(receive)
        if broken is not None:
            return await self._app(scope, _again(broken, receive), send)
        try:
            raw, watched, silent = await self._passed_on(path, raw)
        except StructgenError as error:
            return await refuse(send, error)
        except Exception as error:
            log.exception("a constraint could not be prepared")
            reason = f"the constraint could not be prepared, for a reason that is not the request's: {error!r:.200}"
            return await send_problem(send, problem(reason, 500))
        scope = {**scope, "headers": _sized(scope["headers"], len(raw))}
        whole = {"type": "http.request", "body": raw, "more_body": False}
        send = Answered(send) if watched else send
        await self._app(scope, _again(whole, receive), without_thought(send) if silent else send)

    async def _passed_on(self, path: str, raw: bytes) -> tuple[bytes, bool, bool]:
        """The body for vLLM, whether its answer must not be empty, and whether vLLM is to stream an empty thought."""
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            return raw, False, False  # vLLM reports the error
        found = await self._frontend.rewritten(path, body) if isinstance(body, dict) else None
        if found is None:
            return raw, False, False
        asked, constraint = found
        silent = bool(body.get("stream")) and asked.preface is ThoughtMode.SILENT
        return json.dumps(body).encode(), not constraint.accepts(""), silent


async def _read(receive: Receive) -> tuple[Message | None, bytes]:
    """The whole body; if it is too long or breaks off, instead a message that passes on the bytes read so far."""
    raw = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return message, bytes(raw)
        raw += message.get("body", b"")
        if not message.get("more_body", False):
            return None, bytes(raw)
        if len(raw) > MOST_BYTES:
            return {"type": "http.request", "body": bytes(raw), "more_body": True}, bytes(raw)


def _again(first: Message, receive: Receive) -> Receive:
    """A stream of messages that begins with `first`."""
    pending = [first]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again


def _sized(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return [*kept, (b"content-length", str(length).encode())]
