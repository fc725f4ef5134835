"""A minimal automaton over bytes and special tokens, as live edges over classes of symbols.

The crawl and minimisation produce such tables. A table becomes a `Fragment` to splice into a larger automaton, or the
engine's `Dfa` once it is used; torch is not loaded before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.crawl import Crawled
from structgen.automata.finite.edges import in_order
from structgen.automata.finite.longest import longest
from structgen.automata.finite.minimize import merge_columns, minimize
from structgen.automata.finite.nfa import Fragment, Ints
from structgen_engine.automata.arrays import NEVER
from structgen_engine.automata.nearest import distances
from structgen_engine.jit import kernel

if TYPE_CHECKING:
    from structgen_engine.automata.dfa import Dfa

START = 1


@dataclass(frozen=True, eq=False)
class Table:
    """A minimal automaton with states 1 … S − 1 (0 is dead, 1 the start) over classes of symbols; class 0 is refused.

    class_of: [symbols] int32; source, label, target: [E] int32, sorted by source; accepting: [S] bool
    """

    class_of: Ints
    classes: int
    source: Ints
    label: Ints
    target: Ints
    accepting: NDArray[np.bool_]

    @property
    def states(self) -> int:
        """S."""
        return len(self.accepting)

    @property
    def empty(self) -> bool:
        """Whether the automaton accepts no string."""
        return not self.accepting.any()

    @cached_property
    def shortest(self) -> int:
        """The length in symbols of the shortest accepted string, NEVER if no string is accepted."""
        return int(self._distances[START])

    @cached_property
    def _distances(self) -> NDArray[np.int32]:
        """[S] the length of the shortest string from each state to acceptance."""
        return distances(self.source, self.target, self._passable, self.accepting)

    @cached_property
    def _passable(self) -> NDArray[np.bool_]:
        """[E] whether some symbol has the edge's class."""
        return (np.bincount(self.class_of, minlength=self.classes) > 0)[self.label]

    def longest(self, padding: int | None = None) -> int | None:
        """The length in symbols of the longest accepted string; None if there is none.

        padding: a symbol that is not counted where it leads from a state to itself
        """
        kept = self._passable
        if padding is not None:
            kept = kept & ((self.source != self.target) | (self.label != self.class_of[padding]))
        return longest(self.source[kept], self.target[kept], self.states)

    def shortest_string(self) -> list[int] | None:
        """The symbols of a shortest accepted string; None if no string is accepted."""
        at, string = START, list[int]()
        if self.shortest == NEVER:
            return None
        for left in range(self.shortest - 1, -1, -1):
            edges = slice(*self._offsets[at : at + 2])
            ways = (self._distances[self.target[edges]] == left) & self._passable[edges]
            edge = edges.start + int(ways.argmax())
            string.append(int((self.class_of == self.label[edge]).argmax()))
            at = int(self.target[edge])
        return string

    @cached_property
    def _offsets(self) -> NDArray[np.int64]:
        """[S + 1] where the edges of each state begin."""
        return np.searchsorted(self.source, np.arange(self.states + 1))

    @cached_property
    def _moves(self) -> dict[int, dict[int, int]]:
        """The edges of the states that `accepts` has met, as dicts: walking numpy arrays takes twenty times as long."""
        return {}

    def accepts(self, symbols: Iterable[int]) -> bool:
        """Whether the symbols, each below the size of the alphabet, are a string of the language."""
        at, moves = START, self._moves
        for label in self.class_of[list(symbols)].tolist():
            if at not in moves:
                moves[at] = self._leaving(at)
            at = moves[at].get(label)
            if at is None:
                return False
        return bool(self.accepting[at])

    def _leaving(self, state: int) -> dict[int, int]:
        """The targets of a state by class."""
        edges = slice(*self._offsets[state : state + 2].tolist())
        return dict(zip(self.label[edges].tolist(), self.target[edges].tolist(), strict=True))

    def delta(self) -> Ints:
        """[S, K] int32 transition table."""
        delta = np.zeros((len(self.accepting), self.classes), np.int32)
        delta[self.source, self.label] = self.target
        return delta

    def dfa(self) -> Dfa:
        """The same automaton in the engine's format."""
        import torch

        from structgen_engine.automata.dfa import Alphabet, Dfa, Edges

        alphabet = Alphabet(torch.from_numpy(self.class_of), self.classes)
        edges = Edges.of(self.source, self.label, self.target, len(self.accepting))
        return Dfa.from_edges(alphabet, edges, torch.from_numpy(self.accepting), START)

    def fragment(self, peak: int) -> Fragment:
        """The same automaton as moves over symbol ranges; it had up to `peak` states before it was minimal."""
        edge = np.diff(self.class_of, prepend=-1) != 0  # runs of neighbouring symbols of one class
        low = np.flatnonzero(edge).astype(np.int32)
        high = np.append(low[1:] - 1, len(self.class_of) - 1).astype(np.int32)
        run_class = self.class_of[low]
        order = np.argsort(run_class, kind="stable")
        at = np.searchsorted(run_class[order], np.arange(self.classes + 1))
        moves = _over_runs(self.source, self.label, self.target, at, low[order], high[order])
        return Fragment(len(self.accepting), moves, 1, np.flatnonzero(self.accepting).astype(np.int32), peak)


@kernel
def _over_runs(source, label, target, at, low, high):  # pragma: no cover
    """Edges as moves [M, 4] over runs of symbols; the runs of class c are at[c] … at[c + 1] − 1."""
    count = 0
    for c in label:
        count += at[c + 1] - at[c]
    moves, filled = np.empty((count, 4), np.int32), 0
    for e in range(len(label)):
        for run in range(at[label[e]], at[label[e] + 1]):
            moves[filled, 0], moves[filled, 3] = source[e], target[e]
            moves[filled, 1], moves[filled, 2] = low[run], high[run]
            filled += 1
    return moves


def tabulate(crawled: Crawled, accepting: NDArray[np.bool_]) -> Table:
    """The minimal automaton of a crawl in which the sets `accepting` [sets] accept."""
    source, label, target = crawled.source, crawled.label, crawled.target
    coarse, classes = merge_columns(source, label, target, int(crawled.class_of.max()) + 1)
    edges = minimize(*_coarser(source, label, target, coarse, classes), accepting, START)
    return merged(*edges, class_of=coarse[crawled.class_of], classes=classes)


def merged(
    source: Ints, label: Ints, target: Ints, accepting: NDArray[np.bool_], *, class_of: Ints, classes: int
) -> Table:
    """A minimal automaton with its equal classes merged."""
    coarse, count = merge_columns(source, label, target, classes)
    source, label, target = _coarser(source, label, target, coarse, count)
    order, _ = in_order(source, label, len(accepting))
    return Table(coarse[class_of], count, source[order], label[order], target[order], accepting)


def _coarser(source: Ints, label: Ints, target: Ints, coarse: Ints, classes: int) -> tuple[Ints, Ints, Ints]:
    """The edges of one representative label of each coarser class, relabelled by the classes."""
    first = np.zeros(classes, np.int32)
    first[coarse[::-1]] = np.arange(len(coarse), dtype=np.int32)[::-1]
    keep = first[coarse[label]] == label
    if keep.all():
        return source, coarse[label], target
    return source[keep], coarse[label[keep]], target[keep]
