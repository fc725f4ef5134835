"""Automata too large for tables: their edges are computed as they are asked for, and kept (the lazy DFA of RE2).

Where a `Dfa` has states, a `LazyDfa` has *configurations*, numbered in the order in which they are met; 0 is the dead
one. Its edges carry sets of tokens. A set is a list of classes of one alphabet, which gets finer as the
automaton grows: numbers of configurations and of sets keep their meaning for ever, those of classes until a new
`alphabet` appears. An automaton may be shared by threads; who reads several things that must fit together, as sets and
their alphabet, holds its `lock`.

Axes: A arcs of one configuration, V vocabulary, K classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from numpy.typing import NDArray

if TYPE_CHECKING:
    from structgen_engine.automata.dfa import Alphabet


class OutArcs(NamedTuple):
    """sets, targets: [A] int64, disjoint sets of tokens and the configuration that each leads to."""

    sets: NDArray[Any]
    targets: NDArray[Any]


class Closing(NamedTuple):
    """end: the number of the set of tokens after which an output is complete; pad: of those that may follow then."""

    end: int
    pad: int


class LazyDfa(Protocol):
    """A deterministic automaton whose configurations and edges are found when they are asked for."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held by one thread at a time, which may take it again; meanwhile nothing is met."""
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
        """[configurations] tokens that suffice to finish, NEVER where none do: from such a configuration some token
        leads to one that needs a token less."""
        ...

    @property
    def distance_lower(self) -> NDArray[Any]:
        """[configurations] tokens without which nothing finishes."""
        ...

    @property
    def closing(self) -> Closing | None:
        """The tokens that complete an output, where those of no other token do and completeness is never lost."""
        ...

    @property
    def padded(self) -> bool:
        """Whether every accepting configuration can be followed by a token to an accepting one."""
        ...

    def is_accepting(self, configuration: int, /) -> bool:
        """Whether the output may end here."""
        ...

    def arcs(self, configuration: int) -> OutArcs:
        """The edges out of a configuration."""
        ...

    def token_set(self, tokens: NDArray[Any]) -> int | None:
        """The number of the set of those of the tokens that may occur; None if none of them may."""
        ...

    def union(self, labels: NDArray[Any]) -> int:
        """The number of the set of tokens of these classes."""
        ...

    def run(self, tokens: Iterable[int], configuration: int | None = None, /) -> int:
        """The configuration after the tokens, from the given one or the start; 0 where they are refused."""
        ...
