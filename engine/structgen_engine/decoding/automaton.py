"""The interface that decoding needs from an automaton, for tables and lazy automata alike.

A `Dfa` answers from its tables. A `LazyDfa` knows only bounds on distances and explores each block anew, so it answers
by searching; `BySearch` implements those answers. The loop uses this protocol and never checks which kind it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from structgen_engine.automata.arrays import DEAD, NEVER
from structgen_engine.automata.finishing import Finishing, fewest, shortest_found
from structgen_engine.automata.lazy import LazyDfa

if TYPE_CHECKING:
    from structgen_engine.automata.dfa import Alphabet, BlockAutomaton
    from structgen_engine.lattice.beam import Beam
    from structgen_engine.lattice.pruning import Pruning


class TokenAutomaton(Protocol):
    """A deterministic automaton over token ids; a state is a number, and DEAD is the one that rejects everything."""

    @property
    def start(self) -> int:
        """The state before any token."""
        ...

    @property
    def alphabet(self) -> Alphabet:
        """The classes of tokens known so far."""
        ...

    @property
    def exact(self) -> bool:
        """Whether the lattice of a block always holds every accepted block."""
        ...

    @property
    def padded(self) -> bool:
        """Whether every accepting state has a token that leads to an accepting state."""
        ...

    def run(self, symbols: list[int], state: int | None = None, /) -> int:
        """The state that the tokens lead to from `state` (default: the start); DEAD if they are refused."""
        ...

    def is_accepting(self, state: int, /) -> bool:
        """Whether the output may end in this state."""
        ...

    def moves(self, state: int, /) -> list[tuple[int, int]]:
        """One token of each edge out of a state, and the state that it leads to."""
        ...

    def enough(self, state: int, /) -> int:
        """A number of tokens that suffices to finish from a state, NEVER if none does; the least if `exact`."""
        ...

    def fewest(self) -> tuple[int, bool]:
        """The number of tokens of the shortest output (NEVER if there is none), and whether that is certain."""
        ...

    def suffices(self, state: int, tokens: int, /) -> bool:
        """Whether this many tokens surely suffice to finish from a state."""
        ...

    def completion(self, state: int, most: int = NEVER, /) -> list[int] | None:
        """At most `most` tokens that finish from a state; None if none were found. The fewest if `exact`."""
        ...

    def finishing(self) -> Finishing | None:
        """The memory that one output needs for its searches; None if the automaton never searches."""
        ...

    def block(
        self,
        state: int,
        remaining: int,
        pruning: Pruning | None = None,
        finishing: Finishing | None = None,
    ) -> BlockAutomaton | Beam:
        """The block that starts in a state and leaves `remaining` tokens of budget after itself."""
        ...


class BySearch:
    """A base class for lazy automata: the part of `TokenAutomaton` that is answered by searching configurations."""

    @property
    def exact(self) -> bool:
        """False: a beam may leave accepted blocks out, and reports a bound on their probability."""
        return False

    def moves(self: LazyDfa, state: int) -> list[tuple[int, int]]:
        """The first token of each arc's set, and the configuration that it leads to."""
        with self.lock:
            arcs = self.arcs(state)
            labels = [int(self.sets[number][0]) for number in arcs.sets.tolist()]
            return self.alphabet.first_tokens(labels, arcs.targets.tolist())

    def enough(self: LazyDfa, state: int) -> int:
        """The upper bound on the configuration's distance."""
        return int(self.distance_upper[state])

    def fewest(self: LazyDfa) -> tuple[int, bool]:
        """See `structgen_engine.automata.finishing.fewest`."""
        return fewest(self)

    def suffices(self: LazyDfa, state: int, tokens: int) -> bool:
        """Decided by the bounds, or by a search if they do not decide it."""
        if state == DEAD:
            return False
        enough = int(self.distance_upper[state]) <= tokens
        return enough or int(Finishing(self).narrow([state], tokens)[0][0]) <= tokens

    def completion(self: LazyDfa, state: int, most: int = NEVER) -> list[int] | None:
        """See `structgen_engine.automata.finishing.shortest_found`."""
        return shortest_found(self, state, most)

    def finishing(self: LazyDfa) -> Finishing:
        """A new memory for each output, so that no output depends on what another asked."""
        return Finishing(self)

    def block(
        self: LazyDfa,
        state: int,
        remaining: int,
        pruning: Pruning | None = None,
        finishing: Finishing | None = None,
    ) -> Beam:
        """A beam search of the block."""
        from structgen_engine.lattice.beam import Beam

        return Beam(self, state, remaining, pruning, finishing)
