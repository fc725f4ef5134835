"""The service: one model, its compiled constraints, its workers and its measures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request

from structgen.model import Model
from structgen.server.answering.answer import Outcome, answers, ready_for
from structgen.server.answering.compiled import CompiledSources
from structgen.server.answering.deciding import Deciding, OneCanvas, Question, Weighing
from structgen.server.answering.prepared import Prepared
from structgen.server.asking.ask import Ask
from structgen.server.measures import Measures
from structgen.server.problems import Problem, quoted
from structgen.server.settings import ServerSettings
from structgen.server.workers import Job, Workers

T = TypeVar("T")


class Gone(Exception):
    """The client has closed the connection, so nobody reads the answer."""


@dataclass(frozen=True, eq=False)
class Service:
    """What the routes need. created: when the server began, in seconds since 1970"""

    model: Model
    settings: ServerSettings
    sources: CompiledSources
    deciding: Deciding
    workers: Workers
    measures: Measures
    created: int

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which the model may be called; the first is its own."""
        return tuple(dict.fromkeys((self.model.name, *self.settings.names)))

    def named(self, name: str | None) -> str:
        """The name by which an answer calls the model. Raises Problem if the model has no such name."""
        if name is None:
            return self.names[0]
        if name not in self.names:
            known = ", ".join(self.names)
            raise Problem(
                f"there is no model {quoted(name)} here; this server has {known}",
                status=404,
                param="/model",
                code="model_not_found",
            )
        return name

    def ask(self, ask: Ask) -> Job[list[Outcome]]:
        """Begin to answer; raises Problem with 429 if too many wait."""

        def first(job: Job[list[Outcome]]) -> Prepared:
            return ready_for(self.model, self.sources, ask)

        def second(model: Model, job: Job[list[Outcome]], ready: Prepared) -> list[Outcome]:
            with self.measures.working():
                found = answers(model, ask, ready, job.emit, job.check)
            for outcome in found:
                self.measures.answered(outcome)
            return found

        return self.workers.submit(first, second)

    def decide(self, text: str, questions: Sequence[Question], seed: int) -> Job[list[Weighing]]:
        """Begin to answer questions; raises Problem with 429 if too many wait."""

        def second(model: Model, job: Job[list[Weighing]], nothing: None) -> list[Weighing]:
            with self.measures.working():
                return self.deciding.weigh(model, text, questions, seed, job.check)

        return self.workers.submit(lambda job: None, second)

    def decide_together(self, text: str, questions: Sequence[Question], seed: int) -> Job[OneCanvas]:
        """Begin to answer questions on one canvas; raises Problem with 429 if too many wait."""

        def second(model: Model, job: Job[OneCanvas], nothing: None) -> OneCanvas:
            with self.measures.working():
                return self.deciding.weigh_together(model, text, questions, seed, job.check)

        return self.workers.submit(lambda job: None, second)


async def result_of(request: Request, job: Job[T]) -> T:
    """What a job returns; if the client disconnects before, the job ends and Gone is raised."""
    try:
        return await _unless_left(request, job.result())
    finally:
        job.abandon()


async def _unless_left(request: Request, awaited: Coroutine[Any, Any, T]) -> T:
    """What is awaited. Raises Gone if the client disconnects before."""
    waiting = asyncio.ensure_future(awaited)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise Gone
        return waiting.result()
    finally:
        for task in (waiting, leaving):
            task.cancel()
        await asyncio.gather(waiting, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    """Return when the client has disconnected."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def begun(request: Request, job: Job[Any]) -> AsyncIterator[Any]:
    """The events of a job, the first of which has happened: what goes wrong before it is raised here.

    The job ends if the reader does, or if the client disconnects before the first event.
    """
    events = job.events()
    try:
        first = await _unless_left(request, _first(events))
    except BaseException:
        job.abandon()
        raise

    async def all_of_them() -> AsyncIterator[Any]:
        try:
            for one in first:
                yield one
            async for one in events:
                yield one
        finally:
            job.abandon()

    return all_of_them()


async def _first(events: AsyncIterator[Any]) -> list[Any]:
    """The first event, if there is one."""
    async for one in events:
        return [one]
    return []
