"""Rows answered in this process or in several others, which each load the model once.

So many rows are in work at a time that no worker waits, and no more, so that memory does not grow with the batch. A
worker that dies takes its rows with it: each of them is tried again alone, and is lost if its worker dies each time.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")
Answer = TypeVar("Answer")
TRIES = 2  # of a row alone
WAITING = 2  # rows for each worker beyond the one that it works on

_answer: Callable[[Any], Any] | None = None
_failure: Exception | None = None


def answered(
    rows: Iterator[T],
    make: Callable[[], Callable[[T], Answer]],
    workers: int,
    lost: Callable[[T], Answer],
) -> Iterator[tuple[T, Answer]]:
    """The rows with their answers, as they are finished.

    make: makes the function that answers a row, once in every process; with several workers it is pickled
    lost: the answer of a row whose worker dies each time
    Raises what `make` raises.
    """
    if workers == 1:
        answer = make()
        yield from ((row, answer(row)) for row in rows)
        return
    left = True
    while left:
        with _pool(make, workers) as pool:
            left = yield from _drained(pool, rows, workers * (1 + WAITING))
        for row in left:
            yield row, _alone(row, make, lost)


def _alone(row: T, make: Callable[[], Callable[[T], Answer]], lost: Callable[[T], Answer]) -> Answer:
    """The answer of a row that was in work when a worker died, its own or another."""
    for _ in range(TRIES):
        with _pool(make, 1) as pool, suppress(BrokenProcessPool):
            found: Any = pool.submit(_work, row).result()
            return found
    return lost(row)


def _drained(
    pool: ProcessPoolExecutor, rows: Iterator[T], most: int
) -> Generator[tuple[T, Any], None, list[T]]:
    """Answers from one pool; returns the rows that were in work when it broke."""
    running: dict[Future[Any], T] = {}
    while True:
        for row in islice(rows, most - len(running)):
            try:
                running[pool.submit(_work, row)] = row
            except BrokenProcessPool:
                return [*running.values(), row]
        if not running:
            return []
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            try:
                found = future.result()
            except BrokenProcessPool:
                return list(running.values())
            yield running.pop(future), found


def _pool(make: Callable[[], Callable[[T], Answer]], workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(make,)
    )


def _begin(make: Callable[[], Callable[[Any], Any]]) -> None:
    global _answer, _failure
    try:
        _answer = make()
    except Exception as error:  # told with the first row, in the process that waits for it
        _failure = error


def _work(row: object) -> object:
    if _failure is not None:
        raise _failure
    assert _answer is not None
    return _answer(row)
