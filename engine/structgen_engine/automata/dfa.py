"""Automata as tables: the format that structgen compiles to and the lattice runs.

An `Alphabet` sorts symbols (bytes or tokens) into classes that no state tells apart; a `Dfa` moves between states
by class; a `BlockAutomaton` describes one block: where it enters and in which states it may end.

Two indices are fixed. State DEAD (0) is absorbing and rejects. Class REFUSED (0) leads to DEAD from every state;
it holds the symbols that the automaton never allows.

Axes: V symbols, K classes, S states, E edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.arrays import DEAD, IMPOSSIBLE, NEVER, REFUSED

LARGE = 50_000_000  # cells of a transition table, 4 bytes each, from which on it is not written out

__all__ = [
    "DEAD",
    "IMPOSSIBLE",
    "NEVER",
    "REFUSED",
    "Alphabet",
    "BlockAutomaton",
    "Dfa",
    "Edges",
    "block",
]


@dataclass(frozen=True, eq=False)
class Alphabet:
    """A partition of symbols into classes.

    class_of: [V] int32, class of each symbol; size: K, the number of classes, including REFUSED, which may be empty
    """

    class_of: Tensor
    size: int

    def __post_init__(self) -> None:
        if self.class_of.dtype != torch.int32 or self.class_of.ndim != 1:
            raise ValueError("class_of must be int32 [V]")
        labels = self.class_of.numpy()
        if len(labels) and not 0 <= labels.min() <= labels.max() < self.size:
            raise ValueError("every class must lie in [0, size)")

    @cached_property
    def members(self) -> tuple[Tensor, Tensor]:
        """Symbols sorted by class, and where each class starts: order [V] int32, offsets [K + 1] int64."""
        order = torch.argsort(self.class_of, stable=True)
        counts = torch.bincount(self.class_of.long(), minlength=self.size)
        offsets = torch.zeros(self.size + 1, dtype=torch.int64)
        offsets[1:] = counts.cumsum(0)
        return order.to(torch.int32), offsets

    def first_tokens(self, labels: list[int], targets: list[int]) -> list[tuple[int, int]]:
        """The first symbol of each class, with its target; classes without symbols are left out."""
        order, offsets = self.members
        pairs = zip(labels, targets, strict=True)
        return [(int(order[offsets[k]]), to) for k, to in pairs if offsets[k] < offsets[k + 1]]


@dataclass(frozen=True, eq=False)
class Edges:
    """The live transitions of a Dfa, sorted by source state, then class.

    source, label, target: [E] int32 (label is a class); offsets: [S + 1] int32, the edges of state s are
    offsets[s] … offsets[s + 1]
    """

    source: Tensor
    label: Tensor
    target: Tensor
    offsets: Tensor

    @classmethod
    def of(cls, source: NDArray[Any], label: NDArray[Any], target: NDArray[Any], states: int) -> Edges:
        """Edges from arrays [E] that are sorted by source, then label."""
        offsets = np.zeros(states + 1, np.int32)
        offsets[1:] = np.bincount(source, minlength=states).cumsum()
        columns = [
            torch.from_numpy(np.ascontiguousarray(part, np.int32))
            for part in (source, label, target, offsets)
        ]
        return cls(*columns)

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True, eq=False)
class Dfa:
    """A deterministic automaton as tables; state DEAD is absorbing and rejects.

    delta: [S, K] int32, next state by state and class; accepting: [S] bool; start: a state
    """

    alphabet: Alphabet
    delta: Tensor
    accepting: Tensor
    start: int

    def __post_init__(self) -> None:
        if self.delta.shape != (len(self.accepting), self.alphabet.size) or self.delta.dtype != torch.int32:
            raise ValueError("delta must be int32 [S, K]")
        if self.accepting[DEAD] or (self.delta[DEAD] != DEAD).any():
            raise ValueError("state DEAD must reject and be absorbing")
        if self.delta[:, REFUSED].any():
            raise ValueError("class REFUSED must lead to DEAD")

    @classmethod
    def from_edges(cls, alphabet: Alphabet, edges: Edges, accepting: Tensor, start: int) -> Dfa:
        """The automaton with these live transitions and no others."""
        if len(accepting) * alphabet.size > LARGE:
            return SparseDfa(alphabet, edges, accepting, start)
        delta = torch.zeros(len(accepting), alphabet.size, dtype=torch.int32)
        delta.numpy()[edges.source, edges.label] = edges.target
        dfa = cls(alphabet, delta, accepting, start)
        dfa.__dict__["edges"] = edges  # fills the cached property: the edges are known already
        return dfa

    @property
    def states(self) -> int:
        return len(self.accepting)

    @cached_property
    def edges(self) -> Edges:
        """Transitions that do not lead to DEAD."""
        delta = self.delta.numpy()
        source, label = delta.nonzero()
        return Edges.of(source, label, delta[source, label], self.states)

    @cached_property
    def distance(self) -> Tensor:
        """[S] int32: the least number of symbols that lead to acceptance; NEVER if none do."""
        return _distances(self)

    def run(self, symbols: Tensor | list[int], state: int | None = None) -> int:
        """The state that `symbols` lead to from `state` (default: the start); an unknown symbol leads to DEAD."""
        symbols = torch.as_tensor(symbols, dtype=torch.long)
        if ((symbols < 0) | (symbols >= len(self.alphabet.class_of))).any():
            return DEAD
        at = self.start if state is None else state
        for label in self.alphabet.class_of[symbols].tolist():
            at = int(self.row(at)[label])
        return at

    def row(self, state: int) -> Tensor:
        """[K] int32: the next state by class."""
        return self.delta[state]

    def column(self, label: int) -> Tensor:
        """[S] int32: the state to which a class leads from each state."""
        return self.delta[:, label]

    def accepts(self, symbols: Tensor | list[int]) -> bool:
        """Whether the symbols are a whole string of the language."""
        return self.is_accepting(self.run(symbols))

    def is_accepting(self, state: int) -> bool:
        """Whether a string may end in this state."""
        return bool(self.accepting[state])

    @property
    def exact(self) -> bool:
        """True: the lattice of a block holds every accepted block."""
        return True

    @property
    def padded(self) -> bool:
        """Whether every accepting state has a symbol that leads to an accepting state."""
        used = torch.zeros(self.alphabet.size, dtype=torch.bool)
        used[self.alphabet.class_of.unique().long()] = True
        onward = used[self.edges.label.long()] & self.accepting[self.edges.target.long()]
        stays = torch.zeros(self.states, dtype=torch.bool)
        stays[self.edges.source[onward].long()] = True
        return not bool((self.accepting & ~stays).any())

    def moves(self, state: int) -> list[tuple[int, int]]:
        """One symbol of each edge out of a state, and the state that it leads to."""
        low, high = self.edges.offsets[state : state + 2].tolist()
        labels, targets = self.edges.label[low:high].tolist(), self.edges.target[low:high].tolist()
        return self.alphabet.first_tokens(labels, targets)

    def enough(self, state: int) -> int:
        """The least number of symbols that finish from a state; NEVER if none do."""
        return int(self.distance[state])

    def fewest(self) -> tuple[int, bool]:
        """The length of the shortest accepted string, and True: it is certain."""
        return self.enough(self.start), True

    def suffices(self, state: int, tokens: int) -> bool:
        """Whether this many symbols suffice to finish from a state."""
        return self.enough(state) <= tokens

    def completion(self, state: int, most: int = NEVER) -> list[int] | None:
        """The shortest string that finishes from a state; None if it has more than `most` symbols, or none does."""
        if self.enough(state) > most or self.enough(state) == NEVER:
            return None
        symbols: list[int] = []
        while self.enough(state):
            symbol, state = next(move for move in self.moves(state) if self._nearer(state, move[1]))
            symbols.append(symbol)
        return symbols

    def _nearer(self, state: int, target: int) -> bool:
        return self.enough(target) == self.enough(state) - 1

    def finishing(self) -> None:
        """None: distances are known, so nothing has to be searched."""
        return None

    def block(
        self, state: int, remaining: int, pruning: object = None, finishing: object = None
    ) -> BlockAutomaton:
        """The whole block that starts in a state; the arguments that concern a search are ignored."""
        return block(self, entry=state, remaining=remaining)


class SparseDfa(Dfa):
    """An automaton of which only the live transitions are kept, because its table would take gigabytes.

    The automaton of a long document's pieces has one class for nearly every token of the document, and few of them
    lead anywhere from one state.
    """

    def __init__(self, alphabet: Alphabet, edges: Edges, accepting: Tensor, start: int) -> None:
        own = {"alphabet": alphabet, "edges": edges, "accepting": accepting, "start": start}
        self.__dict__.update(own)  # the fields are frozen

    @cached_property
    def delta(self) -> Tensor:
        """[S, K] int32: the table after all, for a reference that needs it."""
        delta = torch.zeros(self.states, self.alphabet.size, dtype=torch.int32)
        delta.numpy()[self.edges.source, self.edges.label] = self.edges.target
        return delta

    def row(self, state: int) -> Tensor:
        """[K] int32: the next state by class."""
        row, (low, high) = (
            torch.zeros(self.alphabet.size, dtype=torch.int32),
            self.edges.offsets[state : state + 2].tolist(),
        )
        row[self.edges.label[low:high].long()] = self.edges.target[low:high]
        return row

    def column(self, label: int) -> Tensor:
        """[S] int32: the state to which a class leads from each state."""
        column, some = torch.zeros(self.states, dtype=torch.int32), self.edges.label == label
        column[self.edges.source[some].long()] = self.edges.target[some]
        return column


def _distances(dfa: Dfa) -> Tensor:
    """Distances that ignore the edges of classes without symbols, since no symbol can follow them."""
    from structgen_engine.automata.nearest import distances  # loads numba

    inhabited = np.bincount(dfa.alphabet.class_of.numpy(), minlength=dfa.alphabet.size) > 0
    source, label, target = (part.numpy() for part in (dfa.edges.source, dfa.edges.label, dfa.edges.target))
    return torch.from_numpy(distances(source, target, inhabited[label], dfa.accepting.numpy()))


@dataclass(frozen=True, eq=False)
class BlockAutomaton:
    """What one block may be: an automaton, the weight of entering in each state, and the weight of ending in each.

    entry, exit: [S] float32 nats; −inf means impossible
    """

    dfa: Dfa
    entry: Tensor
    exit: Tensor

    def __post_init__(self) -> None:
        if self.entry.shape != (self.dfa.states,) or self.exit.shape != (self.dfa.states,):
            raise ValueError("entry and exit must be [S]")


def block(dfa: Dfa, *, entry: int | None = None, remaining: int = 0) -> BlockAutomaton:
    """The block that starts in state `entry` and leaves `remaining` tokens of budget after itself.

    A state may end the block only if its distance to acceptance fits `remaining`, so that the output can always be
    finished; with nothing remaining, only accepting states may end it.
    """
    start = torch.full((dfa.states,), IMPOSSIBLE)
    start[dfa.start if entry is None else entry] = 0.0
    end = torch.where(dfa.distance <= remaining, 0.0, IMPOSSIBLE)
    return BlockAutomaton(dfa, start, end)
