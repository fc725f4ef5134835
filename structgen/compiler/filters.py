"""Filters: small token automata that refuse outputs which begin with a forbidden string.

Axes: V vocabulary, F states of a filter, L classes of a filter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from structgen.automata import compile_bytes
from structgen.automata.finite.table import START, Table, merged
from structgen.compiler.lift import lift
from structgen.grammar import Expr, Grammar
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.automata.arrays import DEAD

BYTE_VALUES = 256

Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Filter:
    """A filter says which tokens may follow; state 0 refuses, state 1 is the start.

    class_of: [V] int32; delta: [F, L] int32; free: the state in which nothing is refused, −1 if there is no such state
    """

    class_of: Ints
    delta: Ints
    free: int

    def step(self, state: int, token: int) -> int:
        """The state after one more token."""
        return int(self.delta[state, self.class_of[token]])

    def run(self, tokens: Iterable[int], state: int = START) -> int:
        """The state after the tokens."""
        for token in tokens:
            state = self.step(state, token)
        return state


def filtered(kept: bytes, never: Expr, vocabulary: Vocabulary) -> Filter:
    """The filter of outputs that begin with the bytes `kept`, not followed by a string of `never`.

    Special tokens spell nothing and leave the state unchanged.
    """
    table = lift(_safe(kept, compile_bytes(Grammar(never))), vocabulary)
    special = np.array(sorted(vocabulary.special.values()), np.int64)
    class_of = table.class_of.copy()
    class_of[special] = table.classes
    stay = np.arange(table.states, dtype=np.int32)
    delta = np.concatenate([table.delta(), stay[:, None]], 1)
    free = np.flatnonzero((delta[:, 1:] == stay[:, None]).all(1) & (stay > 0))
    return Filter(class_of, delta, int(free[0]) if len(free) else -1)


def _safe(kept: bytes, never: Table) -> Table:
    """The byte automaton of all prefixes of strings that begin with `kept`, not followed by a string of `never`.

    The states from 1 on are one for each kept byte, then those of `never`, then the free state.
    """
    shift = len(kept)
    free = shift + never.states
    moves = np.zeros((free + 1, BYTE_VALUES), np.int32)
    inside = never.delta()[START:, never.class_of[:BYTE_VALUES]]
    moves[shift + START : free] = np.where(inside == DEAD, free, inside + shift)
    moves[free] = free
    moves[np.isin(moves, np.flatnonzero(never.accepting) + shift)] = DEAD
    moves[1 : shift + 1] = DEAD
    moves[np.arange(shift) + 1, np.frombuffer(kept, np.uint8)] = np.arange(shift) + 2
    if never.accepting[START]:
        moves[:] = DEAD
    source, label = (part.astype(np.int32) for part in moves.nonzero())
    class_of = np.arange(1, BYTE_VALUES + 1, dtype=np.int32)
    live = np.arange(free + 1) > DEAD
    return merged(source, label + 1, moves[source, label], live, class_of=class_of, classes=BYTE_VALUES + 1)
