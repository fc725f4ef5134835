"""A minimal automaton over bytes and special tokens, as live edges over classes of symbols.

The form between the constructions (crawl, minimise) and their users: a `Fragment` to splice into a larger automaton,
or the engine's `Dfa`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from structgen.automata.crawl import Crawled
from structgen.automata.minimize import merge_columns, minimize
from structgen.automata.nfa import Fragment, Ints
from structgen_engine.automaton import Alphabet, Dfa, Edges


@dataclass(frozen=True, eq=False)
class Table:
    """States 1 … S − 1 (0 is dead, 1 the start), minimal; symbols sorted into classes, class 0 refused.

    class_of: [symbols] int32; source, label, target: [E] int32, sorted by source; accepting: [S] bool
    """

    class_of: Ints
    classes: int
    source: Ints
    label: Ints
    target: Ints
    accepting: NDArray[np.bool_]

    @property
    def empty(self) -> bool:
        """Whether no string at all is accepted."""
        return not self.accepting.any()

    def delta(self) -> Ints:
        """[S, K] int32 transition table."""
        delta = np.zeros((len(self.accepting), self.classes), np.int32)
        delta[self.source, self.label] = self.target
        return delta

    def dfa(self) -> Dfa:
        """The same automaton in the engine's format."""
        alphabet = Alphabet(torch.from_numpy(self.class_of), self.classes)
        edges = Edges.of(self.source, self.label, self.target, len(self.accepting))
        return Dfa.from_edges(alphabet, edges, torch.from_numpy(self.accepting), 1)

    def fragment(self) -> Fragment:
        """The same automaton as moves over symbol ranges."""
        edge = np.diff(self.class_of, prepend=-1) != 0  # runs of neighbouring symbols of one class
        low = np.flatnonzero(edge).astype(np.int32)
        high = np.append(low[1:] - 1, len(self.class_of) - 1).astype(np.int32)
        run_class = self.class_of[low]
        order = np.argsort(run_class, kind="stable")
        starts = np.searchsorted(run_class[order], np.arange(self.classes + 1))
        counts = np.diff(starts)[self.label]
        edge_of = np.repeat(np.arange(len(self.label)), counts)
        within = np.arange(len(edge_of)) - np.repeat(np.cumsum(counts) - counts, counts)
        run = order[starts[self.label[edge_of]] + within]
        columns = (self.source[edge_of], low[run], high[run], self.target[edge_of])
        moves = np.stack(columns, axis=1).astype(np.int32)
        return Fragment(len(self.accepting), moves, 1, np.flatnonzero(self.accepting).astype(np.int32))


def tabulate(crawled: Crawled, accepting: NDArray[np.bool_]) -> Table:
    """The minimal automaton of a crawl whose sets `accepting` accept."""
    source, label, target = crawled.source, crawled.label, crawled.target
    coarse, classes = merge_columns(source, label, target, int(crawled.class_of.max()) + 1)
    first = np.zeros(classes, np.int64)
    first[coarse[::-1]] = np.arange(len(coarse))[::-1]  # one column for each class
    keep = first[coarse[label]] == label
    edges = minimize(source[keep], coarse[label[keep]], target[keep], accepting, 1)
    return merged(*edges, class_of=coarse[crawled.class_of], classes=classes)


def merged(
    source: Ints, label: Ints, target: Ints, accepting: NDArray[np.bool_], *, class_of: Ints, classes: int
) -> Table:
    """A minimal automaton with its equal classes merged."""
    coarse, count = merge_columns(source, label, target, classes)
    first = np.zeros(count, np.int64)
    first[coarse[::-1]] = np.arange(len(coarse))[::-1]
    keep = first[coarse[label]] == label
    source, label, target = source[keep], coarse[label[keep]], target[keep]
    order = np.lexsort((label, source))
    return Table(coarse[class_of], count, source[order], label[order], target[order], accepting)
