"""From bytes to tokens: the automaton that accepts the tokenizations of what a byte automaton accepts.

Reading a token's bytes moves each state of the byte automaton somewhere: the token *is* a partial function from states
to states, and two tokens with the same function are one class. So the classes come first, and no state is walked on
its own. One walk over the prefix tree composes functions along the way; each distinct function is computed once per
distinct (prefix function, byte class) pair and found by its digest ever after. A JSON schema on 262,144 tokens meets a
few thousand pairs, and what remains is one table look-up for each node of the tree.

Functions are stored sparsely, as (state, state) pairs: most tokens fit into few states.

States inside JSON strings treat all plain characters alike. From those the tokens of plain characters, nine in ten, are
not walked at all: where they lead depends on their length. So a token's function has two parts, one known from its
length and one from a walk.

Axes: V token ids, T some of them, S states, F functions, P pairs of all functions together, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.crawl import MAX_EDGES
from structgen.automata.finite.minimize import minimize
from structgen.automata.finite.nfa import FIRST_TOKEN, Ints, too_large
from structgen.automata.finite.table import START, Table, merged
from structgen.grammar.utf8 import byte_sequences
from structgen.limits.budget import check
from structgen.limits.interrupt import SLICE, used_up
from structgen.tokens.plain import PLAIN, Plain
from structgen.tokens.trie import Trie
from structgen.tokens.vocabulary import Vocabulary

Longs = NDArray[np.int64]

MAX_PAIRS = 30_000_000  # of all functions together, 8 bytes each
MAX_CELLS = 100_000_000  # of a transition table, 4 bytes each


def lift(table: Table, vocabulary: Vocabulary, tokens: tuple[str, ...] = ()) -> Table:
    """The minimal token automaton of `table`, whose symbols from FIRST_TOKEN on are the special `tokens`.

    It accepts ids v1 … vn if and only if the byte automaton accepts the bytes they spell (Koo, Liu and He,
    "Automata-based constraints for language model decoding", 2024, for the lift itself). Raises Unsupported where
    the tables would not fit into memory.
    """
    if len(table.accepting) * table.classes > MAX_CELLS:
        raise too_large(MAX_CELLS, "cells (states times classes of bytes)")
    class_of, classes, (source, label, target) = _edges(table, vocabulary, tokens)
    check()
    source, label, target, accepting = minimize(source, label, target, table.accepting, START)
    small = merged(source, label, target, accepting, class_of=class_of, classes=classes)
    if small.states * small.classes > MAX_CELLS:
        raise too_large(MAX_CELLS, "cells (states times classes of tokens)")
    return small


def _edges(table: Table, vocabulary: Vocabulary, tokens: tuple[str, ...]) -> tuple[Ints, int, Sequence[Ints]]:
    """The class of each token [V], how many classes there are, and the edges of all: source, class, target."""
    class_of, classes, edges = np.zeros(vocabulary.size, np.int32), 1, []
    for part_of in (_plain, _other):
        token, number, (source, label, target) = part_of(table, vocabulary.plain).moves()
        class_of[token] = np.where(number > 0, number + np.int32(classes - 1), np.int32(0))
        label += np.int32(classes - 1)
        edges.append((source, label, target))
        classes += int(number.max(initial=0))
    for index, name in enumerate(tokens):
        if name in vocabulary.special:
            class_of[vocabulary.special[name]] = classes
            moves = table.label == table.class_of[FIRST_TOKEN + index]
            label = np.full(np.count_nonzero(moves), classes, np.int32)
            edges.append((table.source[moves], label, table.target[moves]))
            classes += 1
    if sum(len(source) for source, _, _ in edges) > MAX_EDGES:
        raise too_large(MAX_EDGES, "edges")
    return class_of, classes, [np.concatenate(column) for column in zip(*edges, strict=True)]


@dataclass(frozen=True, eq=False)
class _Functions:
    """Functions from states to states: f moves sources[p] to targets[p] for offsets[f] ≤ p < offsets[f + 1].

    offsets: [F + 1] int64; sources, targets: [P] int32. Function 0 is nowhere defined.
    """

    offsets: Longs
    sources: Ints
    targets: Ints

    @property
    def count(self) -> int:
        """F."""
        return len(self.offsets) - 1

    def size(self, functions: NDArray[Any]) -> int:
        """How many pairs these functions have together."""
        return int(np.diff(self.offsets)[functions].sum())


NOWHERE = _Functions(np.zeros(2, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32))


@dataclass(frozen=True, eq=False)
class _Part:
    """Some tokens and what they do: two functions each, defined on different states.

    token: [T] int32 ids; first_of, second_of: [T] numbers of their functions among `first` and `second`
    """

    token: Ints
    first: _Functions
    first_of: Ints
    second: _Functions
    second_of: Ints

    def moves(self) -> tuple[Ints, Ints, Ints]:
        """The tokens [T], the class of each, 0 where it leads nowhere; and all edges [3, E]: source, class, target."""
        if self.first.count * self.second.count > MAX_CELLS:
            raise too_large(MAX_CELLS, "cells (functions of tokens)")
        functions = self.first_of * np.int32(self.second.count) + self.second_of
        present = np.zeros(self.first.count * self.second.count, np.bool_)
        present[functions] = True
        present[0] = False
        both = np.flatnonzero(present)
        one, other = both // self.second.count, both % self.second.count
        count = self.first.size(one) + self.second.size(other)
        if count > MAX_EDGES:
            raise too_large(MAX_EDGES, "edges")
        edges, filled = np.empty((3, count), np.int32), 0
        for part, chosen in ((self.first, one), (self.second, other)):
            filled = _pairs(part.offsets, part.sources, part.targets, chosen, edges, filled)
        number = np.where(present, np.cumsum(present, dtype=np.int32), np.int32(0))
        return self.token, number[functions], edges


@nb.njit(cache=True)
def _pairs(offsets, sources, targets, functions, edges, filled):  # pragma: no cover
    """Write the pairs of some functions behind `filled` edges; labels are places in the list, from 1 on."""
    for k in range(len(functions)):
        for p in range(offsets[functions[k]], offsets[functions[k] + 1]):
            edges[0, filled], edges[1, filled], edges[2, filled] = sources[p], k + 1, targets[p]
            filled += 1
    return filled


def _other(table: Table, plain: Plain) -> _Part:
    """The tokens of other than plain characters, walked from every state."""
    token, node = plain.other.spelled
    functions, of_node = _walked(table, plain.other, np.ones(len(table.accepting), np.bool_))
    return _Part(token, NOWHERE, np.zeros(len(token), np.int32), functions, of_node[node])


def _plain(table: Table, plain: Plain) -> _Part:
    """The tokens of plain characters, walked from those states only that do not treat these all alike."""
    token, node = plain.plain.spelled
    after, alike = _after_plain(table, len(plain.by_length) - 1)
    numbers: dict[bytes, int] = {bytes(after[0].nbytes): 0}
    of_length = np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in after], np.int32)
    _, representative = np.unique(of_length, return_index=True)
    rows = after[representative]
    which, sources = rows.nonzero()
    offsets = np.searchsorted(which, np.arange(len(rows) + 1))
    counted = _Functions(offsets, sources.astype(np.int32), rows[which, sources])
    functions, of_node = _walked(table, plain.plain, ~alike)
    return _Part(token, counted, of_length[plain.plain_lengths], functions, of_node[node])


def _after_plain(table: Table, longest: int) -> tuple[Ints, NDArray[np.bool_]]:
    """Where k plain characters lead, [longest + 1, S], from the states that treat all of them alike, [S] bool.

    0 in row 0 and for all other states.
    """
    states = len(table.accepting)
    unlike = states  # stands for several targets, and only leads to itself
    delta = np.concatenate([table.delta(), np.full((1, table.classes), unlike, np.int32)])
    onward = None
    for span in PLAIN:
        for sequence in byte_sequences(*span):
            reached = np.arange(states + 1)
            for low, high in sequence:
                classes = np.unique(table.class_of[low : high + 1])
                targets = delta[:, classes[0]]
                same = (delta[:, classes] == targets[:, None]).all(1)
                reached = np.where(same, targets, unlike)[reached]
            onward = reached if onward is None else np.where(onward == reached, onward, unlike)
    assert onward is not None
    after = np.zeros((longest + 1, states), np.int32)
    reached = np.arange(states + 1)
    for length in range(1, longest + 1):
        reached = onward[reached]
        after[length] = reached[:states]
    alike = reached[:states] != unlike
    return np.where(alike, after, 0).astype(np.int32), alike


def _walked(table: Table, trie: Trie, inside: NDArray[np.bool_]) -> tuple[_Functions, Ints]:
    """The functions of a tree's nodes on the states `inside` [S], found by walking it, and which is whose."""
    of_node, offsets, sources, targets = _functions(
        table.delta(),
        table.class_of[:FIRST_TOKEN],
        trie.symbol,
        trie.depth,
        trie.end,
        inside,
        MAX_PAIRS,
        MAX_CELLS,
    )
    check()
    if not len(offsets):
        raise too_large(MAX_PAIRS, "moves by tokens")
    return _Functions(offsets, sources, targets), of_node


@nb.njit(cache=True)
def _functions(
    delta: Ints,
    class_of: Ints,
    symbol: NDArray[np.uint8],
    depth: Ints,
    end: Ints,
    inside: NDArray[np.bool_],
    most: int,
    cells: int,
) -> tuple[Ints, Longs, Ints, Ints]:  # pragma: no cover
    """The function of every node: number by node, and the pairs of each. 0 is nowhere defined, 1 stays where it is.

    Empty where the functions would have more than `most` pairs, or their compositions more than `cells`, or where
    time or memory is used up.
    """
    states, classes, nodes = delta.shape[0], delta.shape[1], len(symbol)
    function_of = np.zeros(nodes, np.int32)
    offsets = np.zeros(1025, np.int64)
    sources, targets = np.empty(max(4096, 2 * states), np.int32), np.empty(max(4096, 2 * states), np.int32)
    digests = np.zeros(1024, np.uint64)
    step = np.full((1024, classes), -1, np.int32)
    buckets, mask = np.zeros(4096, np.int32), np.uint64(4095)
    domain = 0
    for s in range(1, states):
        if inside[s]:
            sources[domain], targets[domain] = s, s
            domain += 1
    offsets[1], offsets[2], functions = 0, domain, 2
    step[0, :] = 0
    path = np.zeros(depth.max() + 2, np.int32)
    path[0], node, work, look = 1, 1, 0, SLICE
    while node < nodes:
        f, c = path[depth[node] - 1], class_of[symbol[node]]
        g = step[f, c]
        if g < 0:
            filled, low, high = offsets[functions], offsets[f], offsets[f + 1]
            if filled > most or functions * classes > cells:
                return function_of, offsets[:0], sources[:0], targets[:0]
            work += high - low
            if work > look:
                look = work + SLICE
                if used_up():
                    return function_of, offsets[:0], sources[:0], targets[:0]
            if filled + high - low > len(sources):
                size = 2 * (filled + high - low)
                wider = np.empty(size, np.int32)
                wider[:filled] = sources[:filled]
                sources = wider
                wider = np.empty(size, np.int32)
                wider[:filled] = targets[:filled]
                targets = wider
            digest, at = np.uint64(0), filled
            for p in range(low, high):
                to = delta[targets[p], c]
                if to:
                    sources[at], targets[at] = sources[p], to
                    mixed = (np.uint64(sources[p]) << np.uint64(32)) ^ np.uint64(to)
                    digest = (digest ^ mixed) * np.uint64(0x9E3779B97F4A7C15)
                    digest ^= digest >> np.uint64(29)
                    at += 1
            g = 0
            if at > filled:
                slot = digest & mask
                while buckets[slot]:
                    other = buckets[slot]
                    start = offsets[other]
                    if digests[other] == digest and offsets[other + 1] - start == at - filled:
                        same = True
                        for p in range(at - filled):
                            if (
                                sources[start + p] != sources[filled + p]
                                or targets[start + p] != targets[filled + p]
                            ):
                                same = False
                                break
                        if same:
                            g = other
                            break
                    slot = (slot + np.uint64(1)) & mask
                if not g:
                    g = functions
                    buckets[slot], digests[g], offsets[g + 1] = g, digest, at
                    functions += 1
                    if functions + 1 >= len(digests):
                        room = 2 * len(digests)
                        more_digests = np.zeros(room, np.uint64)
                        more_digests[:functions] = digests[:functions]
                        digests = more_digests
                        more_offsets = np.zeros(room + 1, np.int64)
                        more_offsets[: functions + 1] = offsets[: functions + 1]
                        offsets = more_offsets
                        more_step = np.full((room, classes), -1, np.int32)
                        more_step[:functions] = step[:functions]
                        step = more_step
                        buckets, mask = np.zeros(4 * room, np.int32), np.uint64(4 * room - 1)
                        for other in range(2, functions):
                            slot = digests[other] & mask
                            while buckets[slot]:
                                slot = (slot + np.uint64(1)) & mask
                            buckets[slot] = other
            step[f, c] = g
        if g == 0:
            node = end[node]
            continue
        function_of[node] = g
        path[depth[node]] = g
        node += 1
    filled = offsets[functions]
    return function_of, offsets[: functions + 1], sources[:filled], targets[:filled]
