"""Many items through one batcher: they are taken when there is room, and come out in order or as they are finished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from structgen.generation.batcher import Batcher

T = TypeVar("T")
Work = Callable[[Any, T], Any]  # the call for an item, of the model that it is given


def finished(
    batcher: Batcher[Any], items: Iterable[T], work: Work[T], *, ordered: bool
) -> Iterator[tuple[int, Future[Any]]]:
    """The number of each item, from 0 on, and the future of its call, which has ended.

    The steps are made while the next one is waited for. Twice as many items are held as the batcher has rows. The
    batcher is closed at the end, or when the iterator is.
    """
    source, pending = enumerate(items), dict[int, Future[Any]]()
    try:
        while True:
            for number, item in islice(source, 2 * batcher.rows - len(pending)):
                pending[number] = batcher.submit(partial(_called, work, item))
            if not pending:
                return
            some = list(islice(pending, 1)) if ordered else list(pending)
            ready = [number for number in some if pending[number].done()]
            if not ready:
                batcher.step()
            for number in ready:
                yield number, pending.pop(number)
    finally:
        batcher.close()


async def afinished(
    batcher: Batcher[Any], items: Iterable[T] | AsyncIterable[T], work: Work[T], *, ordered: bool
) -> AsyncIterator[tuple[int, Future[Any]]]:
    """`finished`, with the steps in a thread of their own."""
    source, number, left = _each(items), 0, True
    pending: dict[asyncio.Future[Any], tuple[int, Future[Any]]] = {}
    batcher.start()
    try:
        while True:
            while left and len(pending) < 2 * batcher.rows:
                try:
                    item = await anext(source)
                except StopAsyncIteration:
                    left = False
                    break
                future = batcher.submit(partial(_called, work, item))
                pending[asyncio.wrap_future(future)], number = (number, future), number + 1
            if not pending:
                return
            some = list(islice(pending, 1)) if ordered else list(pending)
            done, _ = await asyncio.wait(some, return_when=FIRST_COMPLETED)
            for one in sorted(done, key=lambda one: pending[one][0]):
                one.exception()  # seen: it is raised by the other future
                yield pending.pop(one)
    finally:
        for one in pending:
            one.cancel()
        await asyncio.to_thread(batcher.close)


async def _each(items: Iterable[T] | AsyncIterable[T]) -> AsyncIterator[T]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


def _called(work: Work[T], item: T, own: object) -> object:
    return work(own, item)
