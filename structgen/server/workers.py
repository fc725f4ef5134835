"""Workers: threads that answer requests, a bounded queue before them, and the way back to the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from threading import Event, Lock
from typing import Any, Generic, TypeVar

from structgen.server.problems import Problem
from structgen.twins import Abandoned

T = TypeVar("T")
NO_MORE = object()  # of a job's events


class Job(Generic[T]):
    """A piece of work on a worker thread, with events on its way and a result at its end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._events: asyncio.Queue[Any] = asyncio.Queue()
        self._abandoned = Event()
        self.future: Future[T] | None = None

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
        if self.future is not None:
            self.future.cancel()

    def ended(self) -> None:
        """Tell the reader of events that none will follow."""
        self._put(NO_MORE)

    async def events(self) -> AsyncIterator[Any]:
        """The events until the work ends. What the work raised is raised here."""
        while (event := await self._events.get()) is not NO_MORE:
            yield event
        assert self.future is not None
        self.future.result()

    async def result(self) -> T:
        """What the work returned."""
        assert self.future is not None
        return await asyncio.wrap_future(self.future)

    def _put(self, event: object) -> None:
        # RuntimeError: the loop has been closed, so nobody reads any more
        try:
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)
        except RuntimeError:
            self.abandon()


class Workers:
    """The worker threads of a server; what neither runs nor may wait is refused with 429."""

    def __init__(self, count: int, waiting: int, retry_after: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="structgen-worker")
        self._room, self._retry_after = count + waiting, retry_after
        self._lock, self.pending = Lock(), 0

    def submit(self, work: Callable[[Job[T]], T]) -> Job[T]:
        """Start the work as soon as a worker is free. Raises Problem if too many requests wait already."""
        job: Job[T] = Job(asyncio.get_running_loop())
        with self._lock:
            if self.pending >= self._room:
                raise Problem(
                    f"{self.pending} requests are being answered or wait already; try again in a moment",
                    status=429,
                    code="rate_limit_exceeded",
                    headers={"retry-after": str(self._retry_after)},
                )
            self.pending += 1

        def run() -> T:
            job.check()
            return context.run(work, job)

        def done(future: Future[T]) -> None:
            with self._lock:
                self.pending -= 1
            job.ended()

        context = copy_context()
        job.future = self._pool.submit(run)
        job.future.add_done_callback(done)
        return job

    def close(self) -> None:
        """Wait for what is running, and refuse what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)
