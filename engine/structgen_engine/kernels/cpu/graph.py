"""An automaton's arcs in the order in which the kernels read them, computed once per automaton."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.bundles import bundles_of
from structgen_engine.automata.dfa import Dfa
from structgen_engine.kernels.cpu.blocks import Blocks, blocks_of

Array = NDArray[Any]


class Arcs(NamedTuple):
    """Arcs grouped by the state at one end: offsets [S + 1].

    label: [A], the class or bundle that each carries; other: [A], the state at the other end. Those by bundle are
    unsigned, all three: numba then need not ask whether an index counts from the end, which takes half of a walk.
    """

    offsets: Array
    label: Array
    other: Array


class Sets(NamedTuple):
    """The classes of each bundle g: member[offsets[g] : offsets[g + 1]]; offsets [G + 1]; blocks: the same sets."""

    offsets: Array
    member: Array
    blocks: Blocks


@dataclass(frozen=True, eq=False)
class Graph:
    """The arcs of an automaton: by class out of each state, and by bundle out of and into each state."""

    classes: Arcs
    leaving: Arcs
    entering: Arcs
    sets: Sets


_graphs: WeakKeyDictionary[Dfa, Graph] = WeakKeyDictionary()


def graph_of(dfa: Dfa) -> Graph:
    """The graph of an automaton."""
    if dfa not in _graphs:
        edges, bundles = dfa.edges, bundles_of(dfa)
        _graphs[dfa] = Graph(
            classes=Arcs(*(t.numpy().astype(np.int64) for t in (edges.offsets, edges.label, edges.target))),
            leaving=_grouped(bundles.source, bundles.bundle, bundles.target, dfa.states),
            entering=_grouped(bundles.target, bundles.bundle, bundles.source, dfa.states),
            sets=sets_of(bundles.offsets, bundles.member, dfa.alphabet.size),
        )
    return _graphs[dfa]


def sets_of(offsets: Array, member: Array, classes: int) -> Sets:
    """Sets of classes, laid out for sums."""
    return Sets(offsets, member, blocks_of(offsets, member, classes))


def _grouped(by: Array, label: Array, other: Array, states: int) -> Arcs:
    """The arcs grouped by the state `by`."""
    order = np.argsort(by, kind="stable")
    offsets = np.zeros(states + 1, np.uint64)
    offsets[1:] = np.bincount(by, minlength=states).cumsum()
    return Arcs(offsets, label[order].astype(np.uint32), other[order].astype(np.uint32))
