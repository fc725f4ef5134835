"""A cache of the automata that many schemas share, kept from one compilation to the next.

An expression about characters alone, such as a free string, a number or a date, has the same automaton wherever it
occurs. The least recently used automata are dropped. The cache may only change how long compiling takes, never the
result.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from structgen.automata.finite.nfa import Fragment
from structgen.grammar import Expr

WEIGHT = 1_000_000  # moves of all fragments together, 16 bytes each


class Fragments:
    """A thread-safe cache of fragments by expression."""

    def __init__(self, weight: int = WEIGHT) -> None:
        self._most = weight
        self._weight = 0
        self._fragments: OrderedDict[Expr, Fragment] = OrderedDict()
        self._lock = Lock()

    def fragment(self, expr: Expr, make: Callable[[Expr], Fragment]) -> Fragment:
        """The fragment of a textual expression; `make` builds it if it is not cached."""
        with self._lock:
            found = self._fragments.get(expr)
            if found is not None:
                self._fragments.move_to_end(expr)
                return found
        found = make(expr)
        with self._lock:
            if expr not in self._fragments:
                self._weight += len(found.moves)
            self._fragments[expr] = found
            while self._weight > self._most:
                _, forgotten = self._fragments.popitem(last=False)
                self._weight -= len(forgotten.moves)
        return found


FRAGMENTS = Fragments()
