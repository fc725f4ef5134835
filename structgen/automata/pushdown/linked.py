"""Component automata as one list of edges, and the operations that keep it small: determinise, trim, minimise, merge.

All components lie in one automaton whose symbols are bytes, special tokens, then one symbol for each component, which
stands for a call of it. Crawling and minimising therefore need not know about calls, and components with equal endings
share states. State 1 is a gate in front of them all: symbol `gate + c` leads from it to the start of component c.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.crawl import crawl
from structgen.automata.finite.edges import reach
from structgen.automata.finite.minimize import minimize
from structgen.automata.finite.nfa import Ints, Nfa
from structgen.automata.pushdown.orders import Mark
from structgen.automata.pushdown.shortest import ENDLESS, shortest_ways

GATE = 1  # the state in front of all components


@dataclass(frozen=True, eq=False)
class Linked:
    """All components as deterministic edges between states 1 … S − 1; an interval's first byte stands for all of it.

    class_of: [256] uint8, the interval of each byte
    source, label, target: [E] int32, without the gate's edges; accepting: [S] bool; start: [C] int32
    first_call: the symbol of a call of component 0; component c is called by first_call + c
    marks: for each component, what a call of it requires and sets (`orders`); empty if no call is marked
    """

    class_of: NDArray[np.uint8]
    source: Ints
    label: Ints
    target: Ints
    accepting: NDArray[np.bool_]
    start: Ints
    first_call: int
    marks: tuple[Mark, ...] = ()

    @property
    def states(self) -> int:
        return len(self.accepting)

    def callee(self) -> Ints:
        """[E] int32, the component that an edge calls, −1 if it reads a symbol."""
        return np.maximum(self.label - self.first_call, -1)

    def entered(self) -> Ints:
        """[E] int32, the start of the component that an edge calls, 0 if it reads a symbol."""
        callee = self.callee()
        return np.where(callee < 0, np.int32(0), self.start[callee])


def determinise(nfa: Nfa, class_of: NDArray[np.uint8] | None, first_call: int, components: int) -> Linked:
    """The components of a nondeterministic automaton with a gate; `finals` is 1 at ends, 2 at states that must not end.

    class_of: the intervals of bytes if edges name only their first bytes, otherwise None
    """
    crawled = crawl(nfa)
    accepting = crawled.holding(nfa.finals == 1) & ~crawled.holding(nfa.finals == 2)
    if class_of is None:
        class_of = crawled.class_of[:256].astype(np.uint8)
    _, first = np.unique(crawled.class_of, return_index=True)
    source, label, target = crawled.source, first.astype(np.int32)[crawled.label], crawled.target
    del crawled, nfa
    source, label, target, start = _ungated(source, label, target, first_call + components, components)
    return Linked(class_of, source, label, target, accepting, start, first_call)


def _ungated(source: Ints, label: Ints, target: Ints, gate: int, components: int) -> tuple[Ints, ...]:
    """The edges without the gate's, whose labels begin at `gate`; and the target of each gate edge, by component."""
    entry = label >= gate
    start = np.zeros(components, np.int32)
    start[label[entry] - gate] = target[entry]
    inner = ~entry
    return source[inner], label[inner], target[inner], start


def smallest(linked: Linked) -> Linked:
    """The part of a trimmed automaton that the root can use, minimal and with equal components merged."""
    while True:
        linked = _minimal(linked)
        merged = _renamed(linked)
        if merged is linked:
            return linked
        linked = merged


def trimmed(linked: Linked) -> Linked:
    """The automaton without edges from which no return can be reached; components without strings start in 0."""
    length, _ = distances(linked)
    entered = linked.entered()
    callee = linked.callee()
    keep = (length[linked.source] < ENDLESS) & (length[linked.target] < ENDLESS)
    keep &= (callee < 0) | (length[entered] < ENDLESS)
    start = np.where(length[linked.start] < ENDLESS, linked.start, 0).astype(np.int32)
    return replace(
        linked, source=linked.source[keep], label=linked.label[keep], target=linked.target[keep], start=start
    )


def _minimal(linked: Linked) -> Linked:
    """The minimal automaton, without the components that the root does not call; their start is 0."""
    entered = linked.entered()
    calls = entered > 0
    seeds = np.arange(linked.states) == linked.start[0]
    used = reach(
        np.concatenate([linked.source, linked.source[calls]]),
        np.concatenate([linked.target, entered[calls]]),
        seeds,
    )
    called = np.zeros(len(linked.start), bool)
    called[linked.callee()[calls & used[linked.source]]] = True
    called[0] = True
    wanted = np.flatnonzero(called & (linked.start > 0)).astype(np.int32)
    gate = linked.first_call + len(linked.start)
    source, label, target, accepting = minimize(
        np.concatenate([np.full(len(wanted), GATE, np.int32), linked.source]),
        np.concatenate([gate + wanted, linked.label]),
        np.concatenate([linked.start[wanted], linked.target]),
        linked.accepting,
        GATE,
    )
    source, label, target, start = _ungated(source, label, target, gate, len(linked.start))
    return replace(linked, source=source, label=label, target=target, accepting=accepting, start=start)


def _renamed(linked: Linked) -> Linked:
    """The automaton with calls of equal components replaced by calls of the first; `linked` itself if all differ."""
    kinds = {mark: kind for kind, mark in enumerate(dict.fromkeys(linked.marks))}
    kind = np.array([kinds[mark] for mark in linked.marks] or [0], np.int64)
    _, first, inverse = np.unique(
        linked.start * max(len(kinds), 1) + kind, return_index=True, return_inverse=True
    )
    alias = first[inverse].astype(np.int32)
    callee = linked.callee()
    calls = callee >= 0
    if (alias[callee[calls]] == callee[calls]).all():
        return linked
    label = linked.label.copy()
    label[calls] = linked.first_call + alias[callee[calls]]
    source, label, target = np.unique(np.stack([linked.source, label, linked.target]), axis=1)
    merged = replace(linked, source=source, label=label, target=target)
    unambiguous = (np.diff(source) != 0) | (np.diff(label) != 0)
    return merged if unambiguous.all() else redetermine(merged)


def redetermine(loose: Linked, empty: Ints | None = None) -> Linked:
    """The deterministic form of an automaton with several edges of one label from a state or `empty` moves [L, 2]."""
    gate = loose.first_call + len(loose.start)
    living = np.flatnonzero(loose.start > 0).astype(np.int32)
    label = np.concatenate([gate + living, loose.label])
    source = np.concatenate([np.full(len(living), GATE, np.int32), loose.source])
    target = np.concatenate([loose.start[living], loose.target])
    nfa = Nfa(
        loose.states,
        np.stack([source, label, label, target], axis=1).astype(np.int32),
        np.empty((0, 2), np.int32) if empty is None else empty,
        (GATE,),
        loose.accepting.astype(np.int32),
        gate + len(loose.start),
    )
    linked = determinise(nfa, loose.class_of, loose.first_call, len(loose.start))
    return replace(linked, marks=loose.marks)


def distances(linked: Linked) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The length of the shortest path from each state to a return, and its first edge (−1: return now).

    No path leads through a call that requires others before it; there is a parallel call to be walked instead.
    """
    callee = linked.callee()
    entered = np.where(callee >= 0, linked.entered(), np.int32(-1))
    if linked.marks:
        asking = np.array([bool(mark.asks) for mark in linked.marks])
        entered[(callee >= 0) & asking[callee]] = 0  # no string at all
    return shortest_ways(linked.source, linked.target, entered, linked.accepting)
