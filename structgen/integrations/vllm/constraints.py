"""The constraints of one model, compiled on a thread of their own and kept.

The server compiles the constraint of a request before the engine sees it; the engine, another process, then reads the
same tables from the cache folder. If there is no such folder, the engine compiles again, on its own thread.

One is compiled at a time, the shortest request first, and none for longer than a quarter of a second: what takes longer
goes to processes of the slow lane, which have a few seconds for it, so that it keeps nobody else waiting. What was
refused is known from then on.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from functools import cached_property, partial
from itertools import count
from queue import PriorityQueue
from typing import Any

from structgen.compiler.constraint import SECONDS, Constraint, compile
from structgen.errors import StructgenError
from structgen.integrations.answers import prompt_of, spelled_by
from structgen.integrations.rows import refuse_checks
from structgen.integrations.vllm.asked import Asked, ThoughtMode
from structgen.integrations.vllm.slow import SlowLane
from structgen.limits.budget import OverLimit
from structgen.surface import REQUEST, standing_at
from structgen.tokens.vocabulary import Vocabulary

KEPT = 256  # constraints
SERVED_SECONDS = 2.0  # of CPU time for one constraint in a server
QUICK_SECONDS = 0.25  # of CPU time on the server's thread, before a process goes on with it
SLOW_PROCESSES = 2  # of a server; one has some 300 MB
WARM_UP = Asked("json", {"type": "object", "properties": {"text": {"type": "string"}}})  # loads what all need


class Constraints:
    """A compiler for the vocabulary of one model that compiles one constraint at a time and keeps the results."""

    def __init__(
        self, tokenizer: Callable[[], Any], size: int, *, seconds: float = SECONDS, processes: int = 0
    ) -> None:
        """tokenizer: returns a fast tokenizer of transformers or a path of a tokenizer.json; size: ids of the model

        seconds: of CPU time after which a constraint is refused; processes: of the slow lane, 0 for no such lane
        """
        self._tokenizer_of, self._size, self._seconds = tokenizer, size, seconds
        self._processes, self._slow = processes, None
        self._waiting: PriorityQueue[tuple[int, int, Asked, Future[Constraint[Any]]]] = PriorityQueue()
        self._number, self._thread = count(), None
        self._lock, self._known = threading.Lock(), OrderedDict[str, Future[Constraint[Any]]]()

    def warm(self) -> None:
        """Read the vocabulary and compile a small schema now, on the thread, so that no request waits for that."""
        self.submit(WARM_UP)

    def submit(self, asked: Asked) -> Future[Constraint[Any]]:
        """The constraint, compiled once; its errors are those of `compile` and are kept too."""
        key = asked.written()
        with self._lock:
            if key not in self._known or _failed(self._known[key]):
                self._known[key] = self._queued(asked, len(key))
                if len(self._known) > KEPT:
                    self._known.popitem(last=False)
            self._known.move_to_end(key)
            return self._known[key]

    def _queued(self, asked: Asked, size: int) -> Future[Constraint[Any]]:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="structgen", daemon=True)
            self._thread.start()
        future: Future[Constraint[Any]] = Future()
        self._waiting.put((size, next(self._number), asked, future))
        return future

    def _work(self) -> None:
        """Compile what waits, the shortest first, for as long as the process lives."""
        while True:
            *_, asked, future = self._waiting.get()
            if future.set_running_or_notify_cancel():
                try:
                    self._answer(asked, future)
                except BaseException as error:  # whoever asked for it is told
                    future.set_exception(error)

    def _answer(self, asked: Asked, future: Future[Constraint[Any]]) -> None:
        """Compile it here, or have the slow lane do it if that takes long."""
        if not self._processes or asked is WARM_UP or self._seconds <= QUICK_SECONDS:
            future.set_result(self._compile(asked, SECONDS if asked is WARM_UP else self._seconds))
            return
        try:
            future.set_result(self._compile(asked, QUICK_SECONDS))
        except OverLimit:
            self._slow = self._slow or SlowLane(self._spelled, self._processes, self._seconds)
            vocabulary = self.vocabulary(asked.preface)
            source = asked.source(vocabulary.special)
            read = partial(self._compile, asked, self._seconds)
            self._slow.submit(len(asked.written()), source, vocabulary.preface, read, future)

    def close(self) -> None:
        """End the processes of the slow lane."""
        if self._slow is not None:
            self._slow.close()

    def vocabulary(self, preface: ThoughtMode) -> Vocabulary:
        """The model's vocabulary, with what precedes an answer."""
        if preface is ThoughtMode.NONE:
            return self._spelled
        thinking = preface is ThoughtMode.THINKING
        return self._spelled.prefaced(prompt_of(self._tokenizer, thinking), thinking=thinking)

    def _compile(self, asked: Asked, seconds: float) -> Constraint[Any]:
        with standing_at(REQUEST):
            vocabulary = self.vocabulary(asked.preface)
            constraint = compile(asked.source(vocabulary.special), vocabulary, seconds=seconds)
        refuse_checks(constraint)
        _ = constraint.automaton  # compute it on this thread
        return constraint

    @cached_property
    def _tokenizer(self) -> Any:
        return self._tokenizer_of()

    @cached_property
    def _spelled(self) -> Vocabulary:
        return spelled_by(self._tokenizer, self._size)


def _failed(future: Future[Any]) -> bool:
    """Whether it failed for a reason other than the constraint."""
    if not future.done():
        return False
    return future.cancelled() or not isinstance(future.exception(), StructgenError | None)
