"""Rows answered in this process or in several others, which each load the model once and have several rows in work.

So many rows are in work at a time that no worker waits, and no more, so that memory does not grow with the batch. A
worker that dies takes its rows with it: each of them is tried again alone, and is lost if its worker dies each time.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")
Answer = TypeVar("Answer")
Answering = Callable[[Iterable[T]], Iterator[tuple[T, Answer]]]  # rows with their answers, in any order
TRIES = 2  # of a row alone
WAITING = 1  # packets of rows for each worker beyond the one that it works on

_answering: Answering[Any, Any] | None = None
_failure: Exception | None = None


def answered(
    rows: Iterator[T],
    make: Callable[[], Answering[T, Answer]],
    workers: int,
    lost: Callable[[T], Answer],
    packet: int = 1,
) -> Iterator[tuple[T, Answer]]:
    """The rows with their answers, as they are finished.

    make: makes the function that answers rows, once in every process; with several workers it is pickled
    lost: the answer of a row whose worker dies each time; packet: rows that a worker takes at a time
    Raises what `make` raises.
    """
    if workers == 1:
        yield from make()(rows)
        return
    left = True
    while left:
        with _pool(make, workers) as pool:
            left = yield from _drained(pool, rows, workers * (1 + WAITING), packet)
        for row in left:
            yield row, _alone(row, make, lost)


def _alone(row: T, make: Callable[[], Answering[T, Answer]], lost: Callable[[T], Answer]) -> Answer:
    """The answer of a row that was in work when a worker died, its own or another."""
    for _ in range(TRIES):
        with _pool(make, 1) as pool, suppress(BrokenProcessPool):
            found: Any = pool.submit(_work, [row]).result()
            return found[0][1]
    return lost(row)


def _drained(
    pool: ProcessPoolExecutor, rows: Iterator[T], most: int, packet: int
) -> Generator[tuple[T, Any], None, list[T]]:
    """Answers from one pool; returns the rows that were in work when it broke."""
    running: dict[Future[Any], list[T]] = {}
    while True:
        while len(running) < most and (some := list(islice(rows, packet))):
            try:
                running[pool.submit(_work, some)] = some
            except BrokenProcessPool:
                return [row for one in (*running.values(), some) for row in one]
        if not running:
            return []
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            try:
                found = future.result()
            except BrokenProcessPool:
                return [row for one in running.values() for row in one]
            del running[future]
            yield from found


def _pool(make: Callable[[], Answering[T, Answer]], workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(make,)
    )


def _begin(make: Callable[[], Answering[Any, Any]]) -> None:
    global _answering, _failure
    try:
        _answering = make()
    except Exception as error:  # told with the first row, in the process that waits for it
        _failure = error


def _work(rows: list[Any]) -> list[tuple[Any, Any]]:
    if _failure is not None:
        raise _failure
    assert _answering is not None
    return list(_answering(rows))
