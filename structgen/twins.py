"""The asynchronous twins of a model's verbs: `await model.aextract(text, Invoice)`.

A twin has the name of its verb after an `a`, and the verb's arguments. The work runs in a worker thread, so that the
event loop goes on; several may run at once on one model. Where the awaiting task is cancelled, the work ends after the
refinement step that is under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from threading import Event
from typing import Any, Literal, TypeVar, Unpack, overload

from structgen.documents import Document
from structgen.generation.fiber import Abandoned
from structgen.generation.result import Generation
from structgen.sources import Source
from structgen.sources.template import Filled, Template
from structgen.sources.tools import Reply, Tools
from structgen.verbs.call import Message
from structgen.verbs.choose import Choice
from structgen.verbs.decide import Decisions
from structgen.verbs.how import AnswerOptions, ExtractOptions, FillOptions, ToolOptions, VerbOptions
from structgen.verbs.stream import Done, Partial, Settled

T = TypeVar("T")


class Twins:
    """The asynchronous twins of the verbs."""

    @overload
    async def aextract(
        self,
        text: str | Document,
        spec: type[T],
        *,
        details: Literal[False] = ...,
        **how: Unpack[ExtractOptions],
    ) -> T: ...
    @overload
    async def aextract(
        self, text: str | Document, spec: type[T], *, details: Literal[True], **how: Unpack[ExtractOptions]
    ) -> Generation[T]: ...
    @overload
    async def aextract(
        self,
        text: str | Document,
        spec: object,
        *,
        details: Literal[False] = ...,
        **how: Unpack[ExtractOptions],
    ) -> Any: ...
    @overload
    async def aextract(
        self, text: str | Document, spec: object, *, details: Literal[True], **how: Unpack[ExtractOptions]
    ) -> Generation[Any]: ...
    @overload
    async def aextract(
        self,
        text: str | Document,
        spec: type[T],
        *,
        n: int,
        details: Literal[False] = ...,
        **how: Unpack[VerbOptions],
    ) -> list[T]: ...
    @overload
    async def aextract(
        self, text: str | Document, spec: object, *, n: int, details: bool = ..., **how: Unpack[VerbOptions]
    ) -> list[Any]: ...
    async def aextract(self, text: str | Document, spec: object, **how: Any) -> Any:
        """See `extract`."""
        return await stepwise(self.extract, text, spec, **how)  # type: ignore[attr-defined]

    @overload
    def astream(
        self, text: str | Document, spec: type[T], **how: Unpack[VerbOptions]
    ) -> AsyncIterator[Settled | Partial[T] | Done[T]]: ...
    @overload
    def astream(
        self, text: str | Document, spec: object, **how: Unpack[VerbOptions]
    ) -> AsyncIterator[Settled | Partial[Any] | Done[Any]]: ...
    async def astream(self, text: str | Document, spec: object, **how: Any) -> AsyncIterator[Any]:
        """See `stream`: `async for event in model.astream(text, Invoice)`."""
        end = object()
        events = await _threaded(self.stream, text, spec, **how)  # type: ignore[attr-defined]
        step: asyncio.Future[Any] | None = None
        try:
            while True:
                step = asyncio.ensure_future(_threaded(next, events, end))
                event = await asyncio.shield(step)
                if event is end:
                    return
                yield event
        finally:
            if step is None or step.done():
                events.close()
            else:  # the generator cannot be closed while a thread is in it
                step.add_done_callback(lambda _: events.close())

    @overload
    async def agenerate(
        self,
        prompt: str | Document,
        source: type[T] | Source[T],
        *,
        details: Literal[False] = ...,
        **how: Unpack[AnswerOptions],
    ) -> T: ...
    @overload
    async def agenerate(
        self,
        prompt: str | Document,
        source: type[T] | Source[T],
        *,
        details: Literal[True],
        **how: Unpack[AnswerOptions],
    ) -> Generation[T]: ...
    @overload
    async def agenerate(
        self,
        prompt: str | Document,
        source: Sequence[str],
        *,
        details: Literal[False] = ...,
        **how: Unpack[AnswerOptions],
    ) -> str: ...
    @overload
    async def agenerate(
        self,
        prompt: str | Document,
        source: Sequence[str],
        *,
        details: Literal[True],
        **how: Unpack[AnswerOptions],
    ) -> Generation[str]: ...
    @overload
    async def agenerate(
        self,
        prompt: str | Document,
        source: object,
        *,
        details: Literal[False] = ...,
        **how: Unpack[AnswerOptions],
    ) -> Any: ...
    @overload
    async def agenerate(
        self, prompt: str | Document, source: object, *, details: Literal[True], **how: Unpack[AnswerOptions]
    ) -> Generation[Any]: ...
    @overload
    async def agenerate(
        self,
        prompt: str | Document,
        source: type[T] | Source[T],
        *,
        n: int,
        details: Literal[False] = ...,
        **how: Unpack[VerbOptions],
    ) -> list[T]: ...
    @overload
    async def agenerate(
        self,
        prompt: str | Document,
        source: object,
        *,
        n: int,
        details: bool = ...,
        **how: Unpack[VerbOptions],
    ) -> list[Any]: ...
    async def agenerate(self, prompt: str | Document, source: object, **how: Any) -> Any:
        """See `generate`."""
        return await stepwise(self.generate, prompt, source, **how)  # type: ignore[attr-defined]

    @overload
    async def afill(
        self,
        template: str | Template[Any],
        context: str | Document | None = ...,
        into: None = ...,
        *,
        details: Literal[False] = ...,
        **how: Unpack[FillOptions],
    ) -> Filled: ...
    @overload
    async def afill(
        self,
        template: str | Template[Any],
        context: str | Document | None = ...,
        into: None = ...,
        *,
        details: Literal[True],
        **how: Unpack[FillOptions],
    ) -> Generation[Filled]: ...
    @overload
    async def afill(
        self,
        template: str,
        context: str | Document | None,
        into: type[T],
        *,
        details: Literal[False] = ...,
        **how: Unpack[FillOptions],
    ) -> T: ...
    @overload
    async def afill(
        self,
        template: str,
        context: str | Document | None,
        into: type[T],
        *,
        details: Literal[True],
        **how: Unpack[FillOptions],
    ) -> Generation[T]: ...
    async def afill(
        self,
        template: str | Template[Any],
        context: str | Document | None = None,
        into: type[Any] | None = None,
        **how: Any,
    ) -> Any:
        """See `fill`."""
        return await stepwise(self.fill, template, context, into, **how)  # type: ignore[attr-defined]

    async def achoose(self, text: str | Document, options: Sequence[str], *, seed: int = 0) -> Choice:
        """See `choose`."""
        return await _threaded(self.choose, text, options, seed=seed)  # type: ignore[attr-defined]

    async def adecide(
        self,
        text: str | Document,
        questions: Mapping[str, object] | None = None,
        /,
        *,
        seed: int = 0,
        joint: bool = False,
        **named: object,
    ) -> Decisions:
        """See `decide`."""
        return await _threaded(self.decide, text, questions, seed=seed, joint=joint, **named)  # type: ignore[attr-defined]

    @overload
    async def acall(
        self,
        messages: str | Document | Sequence[Message],
        tools: Tools | Sequence[object],
        *,
        details: Literal[False] = ...,
        **how: Unpack[ToolOptions],
    ) -> Reply: ...
    @overload
    async def acall(
        self,
        messages: str | Document | Sequence[Message],
        tools: Tools | Sequence[object],
        *,
        details: Literal[True],
        **how: Unpack[ToolOptions],
    ) -> Generation[Reply]: ...
    async def acall(
        self, messages: str | Document | Sequence[Message], tools: Tools | Sequence[object], **how: Any
    ) -> Any:
        """See `call`."""
        return await stepwise(self.call, messages, tools, **how)  # type: ignore[attr-defined]


async def stepwise(verb: Callable[..., T], *given: Any, **how: Any) -> T:
    """What a verb returns; its work ends after the present step if the task that waits is cancelled."""
    abandoned, on_step = Event(), how.pop("on_step", None)

    def checked(event: Any) -> None:
        if abandoned.is_set():
            raise Abandoned
        if on_step is not None:
            on_step(event)

    try:
        return await _threaded(verb, *given, **how, on_step=checked)
    finally:
        abandoned.set()


async def _threaded(verb: Callable[..., T], *given: Any, **how: Any) -> T:
    return await asyncio.to_thread(verb, *given, **how)
