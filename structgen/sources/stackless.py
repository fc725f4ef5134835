"""Recursion as deep as memory allows: pending calls wait on a list, not on Python's stack.

    def length(text):                        # the step: yields a key to solve, is sent the answer
        return 0 if not text else 1 + (yield text[1:])

    solved(length, "a" * 100_000)

Writing an object starts at its end, which is a recursion as deep as the number of members, for example 2,000.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable
from typing import Any, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def solved(step: Callable[[K], Generator[K, V, V]], key: K) -> V:
    """The result of `step` for `key`; each key that it yields is solved once."""
    known: dict[K, V] = {}
    waiting = [(key, step(key))]
    answer: Any = None  # the first value sent to a step
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
