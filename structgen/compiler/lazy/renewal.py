"""Replacing a lazy automaton that has grown too large, at the beginning of a request.

A growing automaton is never shrunk, because the numbers of configurations would change their meaning for those who hold
them. A request takes the automaton once and keeps it; the next request may get a new one. The old one is freed when
nobody holds it any more. Both give the same results, except that joint draws depend on the classes met before.
"""

from __future__ import annotations

from threading import Lock

from structgen.automata.pushdown.automaton import Pushdown
from structgen.compiler.lazy.automaton import LazyAutomaton
from structgen.tokens.vocabulary import Vocabulary

ROOM = 512 << 20  # bytes


class Renewal:
    """The lazy automaton of a pushdown, replaced when it takes more than `room` bytes; safe to share among threads."""

    def __init__(self, automaton: Pushdown, vocabulary: Vocabulary, room: int = ROOM) -> None:
        self._pushdown, self._vocabulary, self.room = automaton, vocabulary, room
        self._lock, self._current = Lock(), LazyAutomaton(automaton, vocabulary)

    def current(self) -> LazyAutomaton:
        """The automaton for one request."""
        with self._lock:
            if self._current.nbytes > self.room:
                self._current = LazyAutomaton(self._pushdown, self._vocabulary)
            return self._current
