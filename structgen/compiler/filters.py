"""Filters: small token automata that only refuse what begins with a forbidden string.

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
    """Which tokens may follow; state 0 refuses, 1 is the start.

    class_of: [V] int32; delta: [F, L] int32; free: the state in which nothing is refused, −1 where there is none
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
    """What follows begins with the bytes `kept`, and behind them with no string of `never`.

    Special tokens spell nothing and change nothing.
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
    """Over bytes, all beginnings of what begins with `kept` and goes on with no string of `never` behind it.

    States: 1 … one for each kept byte, then those of `never`, then the free one.
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
