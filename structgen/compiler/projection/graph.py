"""The automaton of texts as a graph that grows as it is searched: nodes are states, each with a stack.

A table is a pushdown without calls, whose nodes are all known. A node of a pushdown is a state of a component, the set
of parts already read if these come in any order, and a stack of states to return to. Its edges are found when a search
first reaches it: those of all states that calls and returns lead to. Nothing is made deterministic, since the shortest
path is shortest over all of them. What has been found is kept for the next search.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.table import START, Table
from structgen.automata.pushdown.automaton import Pushdown
from structgen.compiler.compiled import Compiled, Components, Expanded
from structgen.compiler.projection import weights
from structgen.errors import Unsupported
from structgen_engine.automata.nearest import distances
from structgen_engine.kernels.nearest.expand import interned, rehash

Ints = NDArray[np.int32]
MOST_BITS = 62  # parts in any order, as bits of one number
FAR_OFF = 1 << 20  # bytes
NODES, EDGES = 4096, 1 << 16  # room at first


@dataclass(frozen=True, eq=False)
class Machine:
    """The automaton as it was compiled, over K classes of bytes; states are 1 … S − 1.

    class_of: [256] class of each byte, −1 if no text holds it; written: [K] the byte that is written for a class
    adding, adding_in_runs: [K] weights of adding a byte of the class; order: [K] which class is added, the lowest first
    moves_at: [S + 1], label, target: the moves by bytes; call_at: [S + 1], callee, back: the calls
    accepting, final, hub: [S] as in `Pushdown`; start: [C]; gives, asks: [C] bits that a call sets and requires
    walked: [C] called on shortest paths only; left: [S] bytes of the shortest path to a return
    """

    class_of: Ints
    written: Ints
    adding: Ints
    adding_in_runs: Ints
    order: Ints
    moves_at: Ints
    label: Ints
    target: Ints
    call_at: Ints
    callee: Ints
    back: Ints
    accepting: NDArray[np.bool_]
    final: NDArray[np.bool_]
    hub: NDArray[np.bool_]
    start: Ints
    gives: NDArray[np.int64]
    asks: NDArray[np.int64]
    walked: NDArray[np.bool_]
    left: Ints

    @classmethod
    def of(cls, compiled: Compiled) -> Machine:
        """The automaton of the texts of a compiled grammar. Raises Unsupported for what is not text alone."""
        if isinstance(compiled, Expanded):
            return _of_table(compiled.text)
        if isinstance(compiled, Components) and not compiled.answer.tokens:
            return _of_pushdown(compiled.answer)
        raise Unsupported(
            "a text can only be projected where the source is text alone, without special tokens"
        )

    @cached_property
    def filler(self) -> Ints:
        """[K] the byte of each class that fills what is missing, by preference."""
        ranked = np.argsort(weights.preference())[::-1].astype(np.int32)
        filler = np.zeros(len(self.written), np.int32)
        filler[self.class_of[ranked]] = ranked
        return filler

    def nearer(self, state: int) -> tuple[int, int, int]:
        """The first step of the shortest path to a return: label, target, 0; or −1, a start, where it returns."""
        low, high = self.moves_at[state : state + 2]
        ways = np.flatnonzero(self.left[self.target[low:high]] == self.left[state] - 1) + low
        if len(ways):
            best = ways[weights.preference()[self.filler[self.label[ways]]].argmin()]
            return int(self.label[best]), int(self.target[best]), 0
        low, high = self.call_at[state : state + 2]
        back, start = self.back[low:high], self.start[self.callee[low:high]]
        way = int((self.left[start] + self.left[back] == self.left[state]).argmax())
        return -1, int(start[way]), int(back[way])

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """What the search reads."""
        moves = self.moves_at, self.label, self.target, self.call_at, self.callee, self.back
        states = self.accepting, self.final, self.hub
        return *moves, *states, self.start, self.gives, self.asks, self.walked, self.order, self.left


def _of_table(table: Table) -> Machine:
    class_of = table.class_of[:256].astype(np.int32)
    spelled = np.isin(table.label, class_of)
    states, none = table.states, np.zeros(0, np.int32)
    moves_at = np.searchsorted(table.source[spelled], np.arange(states + 1)).astype(np.int32)
    no = np.zeros(states, np.bool_)
    every = np.ones(int(spelled.sum()), np.bool_)
    left = distances(table.source[spelled], table.target[spelled], every, table.accepting)
    return Machine(
        class_of,
        *_by_class(class_of, table.classes),
        moves_at,
        table.label[spelled].astype(np.int32),
        table.target[spelled].astype(np.int32),
        np.zeros(states + 1, np.int32),
        none,
        none,
        table.accepting.astype(np.bool_),
        no,
        no,
        np.array([START], np.int32),
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
        np.zeros(1, np.bool_),
        np.minimum(left, FAR_OFF).astype(np.int32),
    )


def _of_pushdown(parts: Pushdown) -> Machine:
    if parts.asks.shape[-1] > MOST_BITS:
        raise Unsupported(
            f"an object with more than {MOST_BITS} members in any order cannot be projected",
            remedy='pass order="declared"',
        )
    class_of = parts.byte_class.astype(np.int32)
    source, label = np.nonzero(parts.delta[:, : parts.byte_classes])
    components, marked = parts.components, bool(len(parts.gives))
    gives = (
        np.where(parts.gives < 0, 0, 1 << parts.gives.clip(0).astype(np.int64))
        if marked
        else np.zeros(components, np.int64)
    )
    asks = parts.asks @ (1 << np.arange(parts.asks.shape[1])) if marked else np.zeros(components, np.int64)
    hub = np.zeros(parts.states, np.bool_)
    caller = np.repeat(np.arange(parts.states), np.diff(parts.call_at))
    hub[caller[gives[parts.callee] > 0]] = True
    return Machine(
        class_of,
        *_by_class(class_of, parts.byte_classes),
        np.searchsorted(source, np.arange(parts.states + 1)).astype(np.int32),
        label.astype(np.int32),
        parts.delta[source, label].astype(np.int32),
        parts.call_at.astype(np.int32),
        parts.callee.astype(np.int32),
        parts.back.astype(np.int32),
        parts.accepting.astype(np.bool_),
        parts.final.astype(np.bool_),
        hub,
        parts.start.astype(np.int32),
        gives,
        asks.astype(np.int64),
        parts.walked.astype(np.bool_) if marked else np.zeros(components, np.bool_),
        parts.bytes_left.clip(0, FAR_OFF).astype(np.int32),
    )


def _by_class(class_of: Ints, classes: int) -> tuple[Ints, Ints, Ints, Ints]:
    """For each class the byte that is written, the weights of adding it, and its rank among all bytes."""
    single, runs = weights.inserting(), weights.adding_in_runs()
    ranked = np.lexsort((weights.preference(), single))
    rank = np.empty(256, np.int32)
    rank[ranked] = np.arange(256)
    written = np.zeros(classes, np.int32)
    written[class_of[ranked[::-1]]] = ranked[::-1]
    return written, single[written], runs[written], rank[written]


@dataclass(eq=False)
class TextGraph:
    """The nodes met so far, with their edges.

    counts: of nodes, stacks, edges and pairs, and how many nodes were expanded
    nodes: state, set of parts, stack; whether a text may end; begin and end of its edges and of its pairs; two marks
    stacks: state and set to return to, the stack below, and the bytes that complete it
    edges: label and target, sorted by label within a node
    pairs: the targets of a node, each once, with the label that is cheapest to add; tables: of hashes
    """

    machine: Machine
    counts: NDArray[np.int64]
    nodes: tuple[NDArray[Any], ...]
    stacks: tuple[NDArray[Any], ...]
    edges: tuple[NDArray[Any], ...]
    pairs: tuple[NDArray[Any], ...]
    tables: tuple[NDArray[Any], ...] = ()

    @classmethod
    def of(cls, machine: Machine) -> TextGraph:
        """A graph with the start alone, which is node 0; stack 0 is empty."""
        kinds = np.int32, np.int64, np.int32, np.bool_, *[np.int32] * 6
        graph = cls(
            machine,
            np.array([0, 1, 0, 0, 0], np.int64),
            tuple(np.zeros(NODES, kind) for kind in kinds),
            tuple(np.zeros(NODES, kind) for kind in (np.int32, np.int64, np.int32, np.int32)),
            tuple(np.zeros(EDGES, np.int32) for _ in range(2)),
            tuple(np.zeros(EDGES, np.int32) for _ in range(2)),
        )
        graph.nodes[4][:] = -1
        graph._rehash()
        interned(int(machine.start[0]), 0, 0, *graph.nodes[:3], graph.tables[0], graph.counts, 0)
        return graph

    def arrays(self) -> tuple[Any, ...]:
        """What the search reads and adds to."""
        return self.counts, self.nodes, self.stacks, self.edges, self.pairs, self.tables

    def completion(self, node: int) -> bytes:
        """The shortest bytes that complete a text from a node; of equally short ones, the first by preference."""
        machine, (backs, _, belows, _) = self.machine, self.stacks
        state, over, text = int(self.nodes[0][node]), list[int](), bytearray()
        stack = int(self.nodes[2][node])
        while stack:
            over.append(int(backs[stack]))
            stack = int(belows[stack])
        over.reverse()
        while over or machine.left[state]:
            if not machine.left[state]:
                state = over.pop()
                continue
            label, state, back = machine.nearer(state)
            text += machine.filler[label : label + 1].astype(np.uint8).tobytes() if label >= 0 else b""
            over += [back] if back else []
        return bytes(text)

    def grow(self) -> None:
        """Make twice the room, of all that is half full."""
        count = self.counts.tolist()
        if 2 * max(count[:2]) >= len(self.nodes[0]):
            known = len(self.nodes[0])
            self.nodes, self.stacks = _doubled(self.nodes), _doubled(self.stacks)
            self.nodes[4][known:] = -1
            self._rehash()
        if 2 * count[2] >= len(self.edges[0]):
            self.edges = _doubled(self.edges)
        if 2 * count[3] >= len(self.pairs[0]):
            self.pairs = _doubled(self.pairs)

    def _rehash(self) -> None:
        self.tables = tuple(np.full(4 * len(self.nodes[0]), -1, np.int32) for _ in range(2))
        rehash(*self.nodes[:3], self.tables[0], self.counts[0])
        rehash(*self.stacks[:3], self.tables[1], self.counts[1])


def _doubled(arrays: tuple[NDArray[Any], ...]) -> tuple[NDArray[Any], ...]:
    return tuple(np.concatenate([array, np.zeros_like(array)]) for array in arrays)
