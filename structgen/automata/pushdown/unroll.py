"""Component automata written out as one finite automaton: every stack up to a depth, as states of its own.

Each component is copied once for each stack that it may run on: a *block* is a component in a frame, and a frame says
at which state of which block to go on after the return. A call becomes an empty move into the callee's block, and a
return an empty move out of it. A recursive rule may nest in itself up to a `depth` (JSON of depth 6 has up to six
nested brackets). Repetition, left recursion and right recursion take no depth; if a grammar has no other recursion, the
result is the whole language.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from structgen.automata.finite.crawl import MAX_WORK, crawl
from structgen.automata.finite.nfa import Ints, Nfa, TooLarge
from structgen.automata.finite.table import Table, tabulate
from structgen.automata.pushdown.automaton import Pushdown
from structgen.automata.pushdown.components import CallGraph, Estimate

CAP = 20_000  # states up to which a byte automaton is run as one table
SPARE = 4  # multiple of CAP that the states may reach before they are merged
EFFORT = 500  # visits of states allowed for each state of the cap while determinising: 0.2 s for 20,000
TRIALS = 5  # automata that may be built to find the greatest depth


@dataclass(frozen=True, eq=False)
class Unrolled:
    """A byte automaton, and how many times a recursive rule may nest in itself (None: it holds the whole language)."""

    table: Table
    depth: int | None


def unroll(automaton: Pushdown, cap: int = CAP) -> Unrolled | None:
    """The automaton of the greatest depth that has at most `cap` states; None if not even depth 1 fits.

    The work is bounded: at most TRIALS automata are built, none much larger than the cap before it is minimal.
    """
    graph = CallGraph(automaton)
    estimate = Estimate(graph)
    if not graph.deepens:
        few = graph.least <= SPARE * cap and estimate.size(1) <= SPARE * cap
        table = _within(graph, 1, cap) if few else None
        return Unrolled(table, None) if table else None
    best, low, high, ratio = None, 0, estimate.deepest(SPARE * cap) + 1, 1.0
    for _ in range(TRIALS):
        if low + 1 >= high:
            break
        depth = min(max(estimate.deepest(int(cap / ratio)), low + 1), high - 1)
        table = _within(graph, depth, cap)
        if table:
            best, low = Unrolled(table, depth), depth
            ratio = len(table.accepting) / estimate.size(depth)
        else:
            high, ratio = depth, 1.0
    return best


def _within(graph: CallGraph, depth: int, cap: int) -> Table | None:
    """The table for a depth, if it has at most `cap` states and stays within the effort allowed for such a table."""
    try:
        table = _expanded(graph, depth, EFFORT * cap)
    except TooLarge:
        return None
    return table if len(table.accepting) <= cap else None


def expand(automaton: Pushdown, depth: int) -> Table:
    """The minimal automaton of the strings in which no recursive rule is open more than `depth` times (1 or more)."""
    return _expanded(CallGraph(automaton), depth)


def _expanded(graph: CallGraph, depth: int, effort: int = MAX_WORK) -> Table:
    nfa = _Blocks(graph, depth).nfa()
    crawled = crawl(nfa, effort=effort)
    automaton = graph.automaton
    column = np.concatenate([automaton.byte_class, automaton.byte_classes + np.arange(len(automaton.tokens))])
    crawled = replace(crawled, class_of=crawled.class_of[column])
    return tabulate(crawled, crawled.holding(nfa.finals > 0))


@dataclass(frozen=True)
class _Frame:
    """A frame: the state of the expansion at which to go on after a return, and the remaining depth of recursion."""

    back: int
    depth: int


class _Blocks:
    """The blocks reachable from the root; the states of each block are consecutive."""

    def __init__(self, graph: CallGraph, depth: int):
        self._graph = graph
        self._columns = graph.automaton.delta.shape[1]
        self._offsets: dict[tuple[int, _Frame], int] = {}
        self._waiting: list[tuple[int, _Frame]] = []
        self._empty: list[tuple[int, int]] = []
        self._states = 1  # 0 is the end of the text
        start = self._block(0, _Frame(0, depth - 1))
        while self._waiting:
            component, frame = self._waiting.pop()
            self._call(component, frame)
        self._start = start

    def _block(self, component: int, frame: _Frame) -> int:
        """The first state of a block, which is its component's start."""
        key = (component, frame)
        if key not in self._offsets:
            self._offsets[key] = self._states
            self._states += len(self._graph.parts[component].states)
            self._waiting.append(key)
        return self._offsets[key]

    def _call(self, component: int, frame: _Frame) -> None:
        offset = self._offsets[component, frame]
        for call in self._graph.parts[component].calls:
            depth = frame.depth - call.deepens
            if depth >= 0:
                inner = frame if call.tail else _Frame(offset + call.back, depth)
                self._empty.append((offset + call.source, self._block(call.callee, inner)))

    def nfa(self) -> Nfa:
        """All blocks as one automaton over the columns of the tables."""
        moves: list[Ints] = []
        empty: list[Ints] = [np.array(self._empty, np.int32).reshape(-1, 2)]
        components = np.array([component for component, _ in self._offsets])
        offsets = np.array(list(self._offsets.values()))
        backs = np.array([frame.back for _, frame in self._offsets])
        for component in np.unique(components):
            part = self._graph.parts[component]
            mine = components == component
            shift = offsets[mine, None, None] * np.array([1, 0, 0, 1])
            moves.append((part.moves + shift).reshape(-1, 4).astype(np.int32))
            ends = offsets[mine, None] + part.accepting
            goes_on = np.broadcast_to(backs[mine, None], ends.shape)
            empty.append(np.stack([ends.ravel(), goes_on.ravel()], axis=1).astype(np.int32))
        finals = np.zeros(self._states, np.int32)
        finals[0] = 1
        every = np.concatenate(moves), np.concatenate(empty)
        return Nfa(self._states, *every, (self._start,), finals, self._columns)
