"""Continuous batching: calls of verbs that share every forward pass, and join and leave between two steps.

    with Batcher(model, rows=16) as batcher:               # a thread of its own makes the steps
        future = batcher.submit(lambda model: model.extract(text, Invoice, seed=7))
        invoice = future.result()                          # or: await asyncio.wrap_future(future)

Whatever a call asks of the model (prompts read, options weighed, items counted, blocks refined, values hidden) waits
until all calls in flight ask, and is then answered in one pass for all that are alike. Each call has its constraint,
its options and its seed, and gives what it gives alone: the rows of a pass do not see each other, and each draws only
from its own generator. (A pass over several rows may round differently than a pass over one, in the last bits.)

How a server uses it:

* `submit` may be called in any thread, also in that of an event loop: it never waits. What it is given is called with
  a model like the batcher's, in a thread of the call's own, while all others stand still; so it should do nothing but
  call the model, and hand on events where it streams (`for event in model.stream(…): loop.call_soon_threadsafe(…)`).
* One thread makes the steps: that of `with`, or whichever calls `step` while `busy`.
* `rows` bounds the calls in flight, and with them the memory; further ones wait in order of arrival, `waiting` of them.
* `future.cancel()` takes a call out, waiting or in flight, before the next step; `asyncio.wrap_future` does so when the
  task that awaits it is cancelled.
* An error ends the call that it belongs to, and is raised by its future alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

from structgen.generation.fiber import Fiber
from structgen.generation.options import check_whole
from structgen.generation.runtime import Runtime
from structgen_engine.decoding.sharing import Ask, SharedDenoiser, answers

T = TypeVar("T")
R = TypeVar("R", bound=Runtime)
ROWS = 16  # calls in flight


@dataclass(eq=False)
class _Call:
    """A call in flight."""

    fiber: Fiber
    future: Future[Any]
    answer: object = None


class Batcher(Generic[R]):
    """The calls of one model that share their steps."""

    def __init__(self, model: R, rows: int = ROWS) -> None:
        """rows: most calls in flight."""
        check_whole("rows", rows, 1)
        self.model, self.rows = model, rows
        self._waiting: deque[_Call] = deque()
        self._flying: list[_Call] = []
        self._changed, self._closed = Condition(), False
        self._thread: Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether any call is in flight or waits."""
        return bool(self._flying or self._waiting)

    @property
    def flying(self) -> int:
        """How many calls are in flight."""
        return len(self._flying)

    @property
    def waiting(self) -> int:
        """How many calls wait for a place."""
        return len(self._waiting)

    def submit(self, work: Callable[[R], T]) -> Future[T]:
        """Let a call join before the next step; work: calls the model that it is given, and returns the result."""
        future: Future[T] = Future()

        def begin(ask: Ask) -> T:
            return work(self.model.over(SharedDenoiser(self.model.denoiser, ask)))

        with self._changed:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._waiting.append(_Call(Fiber(begin), future))
            self._changed.notify()
        return future

    def step(self) -> None:
        """Let calls join, take each one to its next question of the model, and answer these together."""
        while self._waiting and len(self._flying) < self.rows:
            self._flying.append(self._waiting.popleft())
        for call in self._flying:
            _advance(call)
        self._flying = [call for call in self._flying if not call.fiber.ended]
        found = answers(self.model.denoiser, [call.fiber.question for call in self._flying])
        for call, answer in zip(self._flying, found, strict=True):
            call.answer = answer

    def close(self) -> None:
        """End all calls, in flight or waiting, and the thread that makes the steps."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        for call in [*self._flying, *self._waiting]:
            call.future.cancel()
            call.fiber.abandon()
        self._flying.clear()
        self._waiting.clear()

    def start(self) -> None:
        """Make the steps in a thread of their own, until the batcher is closed."""
        self._thread = Thread(target=self._run, name="structgen batcher", daemon=True)
        self._thread.start()

    def __enter__(self) -> Batcher[R]:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self.busy)
                if self._closed:
                    return
            self.step()


def _advance(call: _Call) -> None:
    """Resume a call with its answer; if it ends, its future has the result."""
    fiber, future = call.fiber, call.future
    if future.cancelled():
        fiber.abandon()
        return
    fiber.resume(call.answer)
    call.answer = None
    if not fiber.ended or not future.set_running_or_notify_cancel():
        return
    if fiber.error is None:
        future.set_result(fiber.value)
    else:
        future.set_exception(fiber.error)
