"""Automata too large for tables: their edges are computed on demand and kept (the lazy DFA of RE2).

Where a `Dfa` has states, a `LazyDfa` has *configurations*, numbered in the order in which they are met; 0 is the dead
one. Its edges carry sets of tokens. A set is a list of classes of one alphabet, which is refined as the automaton
grows: the numbers of configurations and of sets keep their meaning, but those of classes change with every new
`alphabet`. Threads may share an automaton; a reader of several values that must be consistent, such as sets and their
alphabet, holds its `lock`.

Axes: A arcs of one configuration, V vocabulary, K classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from numpy.typing import NDArray

from structgen_engine.automata.outlook import Outlook

if TYPE_CHECKING:
    from structgen_engine.automata.dfa import Alphabet


class OutArcs(NamedTuple):
    """The arcs out of one configuration: sets, targets [A] int64, disjoint token sets and where each of them leads."""

    sets: NDArray[Any]
    targets: NDArray[Any]


class Closing(NamedTuple):
    """The token sets around the end of an output, by number: `end` completes it, `pad` may follow after that."""

    end: int
    pad: int


class LazyDfa(Protocol):
    """A deterministic automaton whose configurations and edges are computed on demand."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """A reentrant lock; while one thread holds it, no other thread can extend the automaton."""
        ...

    @property
    def start(self) -> int:
        """The configuration before any token."""
        ...

    @property
    def alphabet(self) -> Alphabet:
        """The classes met so far; the same object as long as they do not change. REFUSED never gains a token."""
        ...

    @property
    def sets(self) -> list[NDArray[Any]]:
        """The classes of every set of tokens met so far."""
        ...

    @property
    def distance_upper(self) -> NDArray[Any]:
        """[configurations] tokens that suffice to finish, NEVER if none do. From a configuration that can finish, some
        token leads to one that needs one token less."""
        ...

    @property
    def distance_lower(self) -> NDArray[Any]:
        """[configurations] a lower bound on the tokens needed to finish."""
        ...

    @property
    def outlook(self) -> Outlook:
        """An automaton with fewer states that accepts more, for bounds on what may follow a configuration."""
        ...

    @property
    def closing(self) -> Closing | None:
        """The tokens that complete an output, if only they do so and completeness is never lost; None otherwise."""
        ...

    @property
    def padded(self) -> bool:
        """Whether every accepting configuration has a token that leads to an accepting one."""
        ...

    def is_accepting(self, configuration: int, /) -> bool:
        """Whether the output may end here."""
        ...

    def arcs(self, configuration: int) -> OutArcs:
        """The edges out of a configuration."""
        ...

    def token_set(self, tokens: NDArray[Any]) -> int | None:
        """The number of the set of those given tokens that may occur; None if none of them may."""
        ...

    def token_of(self, label: int, /) -> int:
        """The first token of a class."""
        ...

    def union(self, labels: NDArray[Any]) -> int:
        """The number of the set of tokens of these classes."""
        ...

    def run(self, tokens: Iterable[int], configuration: int | None = None, /) -> int:
        """The configuration after the tokens, from the given one or the start; 0 if they are refused."""
        ...
