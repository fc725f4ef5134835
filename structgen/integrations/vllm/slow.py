"""The slow lane: processes that compile what takes longer than the server's own thread may be held up for.

A thread waits for each process. Processes start when the first slow constraint comes, and end with the server.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import PriorityQueue
from typing import Any

from structgen.compiler.apart import CompilingProcess
from structgen.compiler.constraint import GIGABYTES, Constraint
from structgen.sources import Source
from structgen.surface import REQUEST
from structgen.tokens.vocabulary import Preface, Vocabulary

Read = Callable[[], Constraint[Any]]


class SlowLane:
    """Some processes that compile for one model, the shortest request first."""

    def __init__(self, vocabulary: Vocabulary, count: int, seconds: float) -> None:
        """seconds: of CPU time for one constraint"""
        self._processes = [CompilingProcess(vocabulary, seconds, GIGABYTES, REQUEST) for _ in range(count)]
        self._waiting: PriorityQueue[
            tuple[int, int, Source[Any], Preface | None, Read, Future[Constraint[Any]]]
        ]
        self._waiting, self._number = PriorityQueue(), 0
        for process in self._processes:
            threading.Thread(target=self._work, args=(process,), name="structgen-slow", daemon=True).start()

    def submit(
        self,
        size: int,
        source: Source[Any],
        preface: Preface | None,
        read: Read,
        future: Future[Constraint[Any]],
    ) -> None:
        """Have a source compiled, and tell the future what `read` finds; preface: as of `CompilingProcess.found`."""
        self._number += 1
        self._waiting.put((size, self._number, source, preface, read, future))

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.stop()

    def _work(self, process: CompilingProcess) -> None:
        while True:
            *_, source, preface, read, future = self._waiting.get()
            try:
                found = process.found(source, read, preface)
            except BaseException as error:  # whoever asked for it is told
                found = error
            if isinstance(found, BaseException):
                future.set_exception(found)
            else:
                future.set_result(found)
