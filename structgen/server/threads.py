"""Threads that work off a queue, and whose end can be waited for only so long."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

Work = Callable[[], object]


class WorkThreads:
    """Threads that do pieces of work in order of arrival.

    Unlike those of a ThreadPoolExecutor they end with the process, whatever they are at: work that never returns does
    not keep a server from ending. Work reports its own errors; one that it raises is lost.
    """

    def __init__(self, count: int, name: str) -> None:
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._lock, self._closed = Lock(), False
        self._threads = [
            Thread(target=self._run, name=f"{name}-{number}", daemon=True) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[..., object], *given: Any) -> None:
        """Have some work done. Raises RuntimeError after `close`."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the threads are closed")
            self._queue.put(lambda: work(*given))

    def close(self, seconds: float) -> bool:
        """Forget what waits, and wait so long for what is being done; whether all of it has ended."""
        with self._lock:
            self._closed = True
            while not self._queue.empty():
                self._queue.get()
            for _ in self._threads:
                self._queue.put(None)
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            try:
                work()
            except BaseException:  # its future has it
                continue
            finally:
                del work  # and with it what an answer holds
