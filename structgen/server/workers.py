"""Workers: threads that answer requests, a bounded queue before them, and the way back to the event loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextvars import Context, copy_context
from functools import partial
from threading import Event, Lock, Thread
from typing import Any, Generic, TypeVar

from structgen.generation.batcher import Batcher
from structgen.generation.fiber import Abandoned
from structgen.model import Model
from structgen.server.answering.compiled import Compiling
from structgen.server.problems import Problem
from structgen.server.threads import WorkThreads

S = TypeVar("S")
T = TypeVar("T")
NO_MORE = object()  # of a job's events

log = logging.getLogger("structgen.server")


class Job(Generic[T]):
    """A piece of work on a worker thread, with events on its way and a result at its end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._events: asyncio.Queue[Any] = asyncio.Queue()
        self._abandoned = Event()
        self.future: Future[T] = Future()
        self.shared: Future[T] | None = None  # of the batcher, once it has the work

    def emit(self, event: object) -> None:
        """Hand an event to whoever reads `events`; called on the worker."""
        self.check()
        self._put(event)

    def check(self) -> None:
        """Raise Abandoned if nobody waits any more; called on the worker between two steps."""
        if self._abandoned.is_set():
            raise Abandoned

    def abandon(self) -> None:
        """End the work after the present step, or before it begins."""
        self._abandoned.set()
        self.future.cancel()
        if self.shared is not None:
            self.shared.cancel()

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits any more."""
        return self._abandoned.is_set()

    def ended(self) -> None:
        """Tell the reader of events that none will follow."""
        self._put(NO_MORE)

    async def events(self) -> AsyncIterator[Any]:
        """The events until the work ends. What the work raised is raised here."""
        while (event := await self._events.get()) is not NO_MORE:
            yield event
        await self.result()

    async def result(self) -> T:
        """What the work returned. Raises Problem with 503 if the server has ended it."""
        try:
            return await asyncio.wrap_future(self.future)
        except Abandoned:
            raise Problem(
                "the server is shutting down; try again", status=503, headers={"retry-after": "5"}
            ) from None

    def _put(self, event: object) -> None:
        # RuntimeError: the loop has been closed, so nobody reads any more
        try:
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)
        except RuntimeError:
            self.abandon()


class Workers:
    """The threads of a server; what neither runs nor may wait is refused with 429.

    Work has two parts. The first reads and compiles, on a thread of a pool. The second asks the model: on the same
    thread, or where a batcher is given, together with that of other requests.
    """

    def __init__(
        self, model: Model, batcher: Batcher[Model] | None, *, count: int, waiting: int, retry_after: int
    ) -> None:
        """count: threads of the pool; waiting: requests that may wait; retry_after: seconds"""
        self._model, self._batcher = model, batcher
        self._threads = WorkThreads(count, "structgen-worker")
        self._room = waiting + max(count, 0 if batcher is None else batcher.rows)
        self._retry_after = retry_after
        self._lock, self._jobs = Lock(), set[Job[Any]]()

    @property
    def pending(self) -> int:
        """How many requests are being answered or wait."""
        return len(self._jobs)

    def submit(self, first: Callable[[Job[T]], S], second: Callable[[Model, Job[T], S], T]) -> Job[T]:
        """Begin both parts of some work. Raises Problem if too many requests wait already."""
        job: Job[T] = Job(asyncio.get_running_loop())
        with self._lock:
            if self.pending >= self._room:
                raise Problem(
                    f"{self.pending} requests are being answered or wait already; try again in a moment",
                    status=429,
                    code="rate_limit_exceeded",
                    headers={"retry-after": str(self._retry_after)},
                )
            self._jobs.add(job)
        job.future.add_done_callback(lambda _: self._done(job))
        context = copy_context()
        self._threads.submit(context.run, self._start, job, first, second)
        return job

    def _start(
        self, job: Job[T], first: Callable[[Job[T]], S], second: Callable[[Model, Job[T], S], T]
    ) -> None:
        if job.future.set_running_or_notify_cancel():
            self._begin(job, first, second)

    def _begin(
        self, job: Job[T], first: Callable[[Job[T]], S], second: Callable[[Model, Job[T], S], T]
    ) -> None:
        """Do the first part, and the second or have the batcher do it.

        While the first part needs something from another process, no thread waits for it: it is done again later.
        """
        try:
            job.check()
            ready = first(job)
        except Compiling as needed:
            context = copy_context()
            needed.done.add_done_callback(lambda done: self._again(done, context, job, first, second))
            return
        except BaseException as error:  # whoever asked for it is told
            job.future.set_exception(error)
            return
        try:
            if self._batcher is None:
                job.future.set_result(second(self._model, job, ready))
                return
            shared = self._batcher.submit(lambda model: second(model, job, ready))
        except BaseException as error:  # whoever asked for it is told
            job.future.set_exception(error)
            return
        job.shared = shared
        shared.add_done_callback(partial(_passed_on, job.future))
        if job.abandoned:
            shared.cancel()

    def _begin_with(
        self,
        needed: object,  # by the first part, which alone finds it as long as this holds it
        job: Job[T],
        first: Callable[[Job[T]], S],
        second: Callable[[Model, Job[T], S], T],
    ) -> None:
        self._begin(job, first, second)

    def _again(
        self,
        done: Future[Any],
        context: Context,
        job: Job[T],
        first: Callable[[Job[T]], S],
        second: Callable[[Model, Job[T], S], T],
    ) -> None:
        """Begin once more, now that what was needed is there."""
        try:
            if done.cancelled():
                raise Abandoned
            needed = done.result()
            self._threads.submit(context.run, self._begin_with, needed, job, first, second)
        except BaseException as error:  # also RuntimeError, of threads that are closed
            job.future.set_exception(error)

    def _done(self, job: Job[Any]) -> None:
        with self._lock:
            self._jobs.discard(job)
        job.ended()

    def close(self, seconds: float = 10.0) -> bool:
        """End all work after its present step, and wait so long for these steps; whether they have ended."""
        end = time.monotonic() + seconds
        with self._lock:
            jobs = list(self._jobs)
        for job in jobs:
            job.abandon()
        ended = self._threads.close(seconds)
        if self._batcher is not None:
            closing = Thread(target=self._batcher.close, name="structgen end", daemon=True)
            closing.start()
            closing.join(max(0.0, end - time.monotonic()))
            ended = ended and not closing.is_alive()
        if not ended:
            log.warning("the server ends in the middle of a step that has taken %.0f s", seconds)
        return ended


def _passed_on(onto: Future[Any], done: Future[Any]) -> None:
    """Give one future what another has got."""
    if done.cancelled():
        onto.set_exception(Abandoned())
    elif (error := done.exception()) is not None:
        onto.set_exception(error)
    else:
        onto.set_result(done.result())
