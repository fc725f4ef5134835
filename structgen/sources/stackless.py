"""Recursion that is as deep as memory allows: what waits for an answer waits on a list, not on Python's stack.

    def length(text):                        # the step: yields what it wants solved, is sent the answer
        return 0 if not text else 1 + (yield text[1:])

    solved(length, "a" * 100_000)

An object of 2,000 members is written from its end, which is a recursion as deep as it has members.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable
from typing import Any, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def solved(step: Callable[[K], Generator[K, V, V]], key: K) -> V:
    """What `step` returns for `key`; each key that it asks for is solved once."""
    known: dict[K, V] = {}
    waiting = [(key, step(key))]
    answer: Any = None  # what a step is sent first
    while waiting:
        asking, steps = waiting[-1]
        try:
            wanted = steps.send(answer)
        except StopIteration as done:
            answer = known[asking] = done.value
            waiting.pop()
            continue
        answer = known.get(wanted)
        if wanted not in known:
            waiting.append((wanted, step(wanted)))
    return known[key]
