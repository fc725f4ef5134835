"""How long an automaton that grows is kept: until a request finds it too large, and begins another.

What grows is never made smaller: numbers of configurations would change their meaning under whoever holds them. A
request takes the automaton once and keeps to it; the next one may be given a new one. The old one goes when nobody
holds it any more. What is found is the same with either; only joint draws depend on the classes met before.
"""

from __future__ import annotations

from threading import Lock

from structgen.automata.pushdown.automaton import Pushdown
from structgen.compiler.lazy.automaton import LazyAutomaton
from structgen.tokens.vocabulary import Vocabulary

ROOM = 512 << 20  # bytes


class Renewal:
    """The automaton of a pushdown, begun anew when it takes more than `room` bytes; safe to share among threads."""

    def __init__(self, automaton: Pushdown, vocabulary: Vocabulary, room: int = ROOM) -> None:
        self._pushdown, self._vocabulary, self.room = automaton, vocabulary, room
        self._lock, self._current = Lock(), LazyAutomaton(automaton, vocabulary)

    def current(self) -> LazyAutomaton:
        """The automaton for one request."""
        with self._lock:
            if self._current.nbytes > self.room:
                self._current = LazyAutomaton(self._pushdown, self._vocabulary)
            return self._current
