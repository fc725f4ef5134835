"""From bytes to tokens: the automaton that accepts the tokenizations of what a byte automaton accepts.

Reading a token's bytes moves each state of the byte automaton to another: the token is a partial function from states
to states, and tokens with the same function form one class. The lift computes the functions of all tokens in one walk
over their prefix tree instead of walking from every state. A node's function is the function of its parent, followed by
one byte; it is computed once for each distinct pair of function and byte class, and looked up from then on.

Take [a-z]+, whose states are 1, the start, and 2, which accepts and is reached by every letter; and six tokens:

    node      parent's function, byte class     its function           class of the token
    7         identity, digit                   nowhere defined        0, refused
    a         identity, letter                  f = {1→2, 2→2}         1
    a7        f, digit                          nowhere defined        0, refused
    ab        f, letter                         {1→2, 2→2}, so f       1
    b         identity, letter (looked up)      f                      1
    t, th     (both looked up)                  f                      none: no token ends here
    the       f, letter (looked up)             f                      1

Four pairs are computed for eight nodes, and the token automaton has one class that moves 1 and 2 to 2. A JSON schema on
262,144 tokens meets a few thousand pairs. Functions are stored sparsely, as (state, state) pairs, because most tokens
can be read in few states only.

States inside JSON strings treat all plain characters alike. From these states, tokens of plain characters (nine tokens
in ten) need no walk, because their target depends on their length alone. A token's function therefore has two parts:
one known from its length, and one found by the walk.

Axes: V token ids, T some of them, S states, F functions, P pairs of all functions together, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.crawl import MAX_EDGES
from structgen.automata.finite.interning import digest_of, find, grown_to, no_sequences, push
from structgen.automata.finite.minimize import minimize
from structgen.automata.finite.nfa import FIRST_TOKEN, Ints, too_large
from structgen.automata.finite.table import START, Table, merged
from structgen.grammar.utf8 import byte_sequences
from structgen.limits.budget import check
from structgen.limits.interrupt import SLICE, used_up
from structgen.tokens.plain import PLAIN, Plain
from structgen.tokens.trie import Trie
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.jit import kernel

Longs = NDArray[np.int64]

MAX_PAIRS = 30_000_000  # pairs of all functions together, 8 bytes each
MAX_CELLS = 100_000_000  # cells of a transition table, 4 bytes each


def lift(table: Table, vocabulary: Vocabulary, tokens: tuple[str, ...] = ()) -> Table:
    """The minimal token automaton of `table`, whose symbols from FIRST_TOKEN on are the special `tokens`.

    It accepts ids v1 … vn if and only if the byte automaton accepts the bytes they spell (Koo, Liu and He,
    "Automata-based constraints for language model decoding", 2024, for the lift itself). Raises Unsupported if the
    tables would not fit into memory.
    """
    if len(table.accepting) * table.classes > MAX_CELLS:
        raise too_large(MAX_CELLS, "cells (states times classes of bytes)")
    class_of, classes, (source, label, target) = _edges(table, vocabulary, tokens)
    check()
    source, label, target, accepting = minimize(source, label, target, table.accepting, START)
    return merged(source, label, target, accepting, class_of=class_of, classes=classes)


def _edges(table: Table, vocabulary: Vocabulary, tokens: tuple[str, ...]) -> tuple[Ints, int, Sequence[Ints]]:
    """The class of each token [V], the number of classes, and all edges as source, class and target."""
    class_of, classes, edges = np.zeros(vocabulary.size, np.int32), 1, []
    for part_of in (_plain, _other):
        moves, number = part_of(table, vocabulary.plain).moves(class_of, classes)
        edges.append(tuple(moves))
        classes += number
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
    """Partial functions from states to states: f moves sources[p] to targets[p] for offsets[f] ≤ p < offsets[f + 1].

    offsets: [F + 1] int64; sources, targets: [P] int32. Function 0 is nowhere defined.
    """

    offsets: Longs
    sources: Ints
    targets: Ints

    @property
    def count(self) -> int:
        """F."""
        return len(self.offsets) - 1

    @property
    def arrays(self) -> tuple[Longs, Ints, Ints]:
        """Offsets, sources and targets."""
        return self.offsets, self.sources, self.targets


NOWHERE = _Functions(np.zeros(2, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32))


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of the vocabulary with the functions of its tokens: two each, defined on disjoint sets of states.

    token: [T] int32 ids
    counted: the functions that depend on the length of tokens alone; of_length: [L] the number of each length's;
        length: [T] int32
    walked: the functions of nodes; of_node: [M] the number of each node's; node: [T] int32
    """

    token: Ints
    counted: _Functions
    of_length: Ints
    length: Ints
    walked: _Functions
    of_node: Ints
    node: Ints

    def moves(self, class_of: Ints, classes: int) -> tuple[Ints, int]:
        """Write the classes of the tokens, counted from `classes` on (0: leads nowhere), into `class_of` [V].

        Returns the edges [3, E] (source, class, target) and the number of classes.
        """
        if self.counted.count * self.walked.count > MAX_CELLS:
            raise too_large(MAX_CELLS, "cells (functions of tokens)")
        edges, count = _classified(
            (self.token, self.length, self.node),
            (self.of_length, self.of_node),
            self.counted.arrays,
            self.walked.arrays,
            class_of,
            classes,
            MAX_EDGES,
        )
        if count < 0:
            raise too_large(MAX_EDGES, "edges")
        return edges, count


@kernel
def _classified(tokens, function_of, counted, walked, class_of, classes, most):  # pragma: no cover
    """See `_Part.moves`: a class for each pair of functions that some token has. −1 classes: more than `most` edges."""
    (token, length, node), (of_length, of_node) = tokens, function_of
    (first_at, first_from, first_to), (second_at, second_from, second_to) = counted, walked
    seconds = len(second_at) - 1
    number = np.zeros((len(first_at) - 1) * seconds, np.int32)
    pair_of = np.empty(len(token), np.int32)
    for t in range(len(token)):
        pair_of[t] = of_length[length[t]] * seconds + of_node[node[t]]
        number[pair_of[t]] = 1
    number[0] = 0
    count, size = 0, 0
    for pair in range(len(number)):
        if number[pair]:
            one, other = pair // seconds, pair % seconds
            size += first_at[one + 1] - first_at[one] + second_at[other + 1] - second_at[other]
            number[pair] = classes + count
            count += 1
    if size > most:
        return np.empty((3, 0), np.int32), -1
    edges, filled = np.empty((3, size), np.int32), 0
    for pair in range(len(number)):
        if number[pair]:
            one = pair // seconds
            for p in range(first_at[one], first_at[one + 1]):
                edges[0, filled], edges[1, filled], edges[2, filled] = (
                    first_from[p],
                    number[pair],
                    first_to[p],
                )
                filled += 1
    for pair in range(len(number)):
        if number[pair]:
            other = pair % seconds
            for p in range(second_at[other], second_at[other + 1]):
                edges[0, filled], edges[1, filled], edges[2, filled] = (
                    second_from[p],
                    number[pair],
                    second_to[p],
                )
                filled += 1
    for t in range(len(token)):
        class_of[token[t]] = number[pair_of[t]]
    return edges, count


def _other(table: Table, plain: Plain) -> _Part:
    """The tokens with other than plain characters, walked from every state."""
    token, node = plain.other.spelled
    functions, of_node = _walked(table, plain.other, np.ones(len(table.accepting), np.bool_))
    lengths = np.zeros(len(token), np.int32)  # their functions do not depend on it
    return _Part(token, NOWHERE, np.zeros(1, np.int32), lengths, functions, of_node, node)


def _plain(table: Table, plain: Plain) -> _Part:
    """The tokens of plain characters, walked only from the states that do not treat all plain characters alike."""
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
    return _Part(token, counted, of_length, plain.plain_lengths, functions, of_node, node)


def _after_plain(table: Table, longest: int) -> tuple[Ints, NDArray[np.bool_]]:
    """The targets of k plain characters [longest + 1, S], and the states that treat these all alike [S] bool.

    Targets are 0 in row 0 and for all other states.
    """
    states = len(table.accepting)
    unlike = states  # an extra state that stands for several targets and only leads to itself
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
    """The functions of a tree's nodes on the states `inside` [S], and the number of each node's function [M]."""
    of_node, offsets, pairs = _functions(
        table.delta(),
        table.class_of[:FIRST_TOKEN],
        trie.symbol,
        trie.depth,
        trie.end,
        inside,
        (MAX_PAIRS, MAX_CELLS),
    )
    check()
    if not len(offsets):
        raise too_large(MAX_PAIRS, "moves by tokens")
    return _Functions(offsets, (pairs >> 32).astype(np.int32), pairs.astype(np.int32)), of_node


@kernel
def _functions(
    delta, class_of, symbol, depth, end_of, inside, limits
) -> tuple[Ints, Longs, Longs]:  # pragma: no cover
    """The function of every node, by number, and the pairs of each function. 0 is nowhere defined, 1 the identity.

    A pair is one number: the source in its high half, the target in its low half. The arrays are empty if the functions
    would have more pairs, or their compositions more cells, than the limits, or if time or memory is used up.
    """
    function_of = np.zeros(len(symbol), np.int32)
    pairs, filled = _identity(inside)
    offsets, digests, table = no_sequences()
    offsets, digests, table = push(offsets, digests, table, 1, filled, digest_of(pairs, 0, filled))
    count = 2
    step = np.full((1024, delta.shape[1]), -1, np.int32)
    for c in range(delta.shape[1]):
        step[0, c] = 0
    path = np.zeros(depth.max() + 2, np.int32)
    path[0], node, work, look = 1, 1, 0, SLICE
    while node < len(symbol):
        f, c = path[depth[node] - 1], class_of[symbol[node]]
        g = step[f, c]
        if g < 0:
            low, size = offsets[count], offsets[f + 1] - offsets[f]
            work += size
            over = low > limits[0] or count * delta.shape[1] > limits[1]
            if over or (work > look and used_up()):
                return function_of, offsets[:0], pairs[:0]
            look = work + SLICE if work > look else look
            pairs = grown_to(pairs, low + size)
            end = _compose(pairs, offsets[f], offsets[f + 1], delta, c, low)
            g, digest = find(pairs, offsets, digests, table, count, end)
            if end == low:
                g = 0
            elif g == 0:
                offsets, digests, table = push(offsets, digests, table, count, end, digest)
                g, count = count, count + 1
                step = _with_row(step, count)
            step[f, c] = g
        if g == 0:
            node = end_of[node]
            continue
        function_of[node] = g
        path[depth[node]] = g
        node += 1
    return function_of, offsets[: count + 1], pairs[: offsets[count]]


@kernel
def _identity(inside):  # pragma: no cover
    """The identity on the states `inside`: its pairs, in an array with room for more, and their number."""
    pairs, filled = np.empty(max(4096, 2 * len(inside)), np.int64), 0
    for s in range(1, len(inside)):
        if inside[s]:
            pairs[filled] = (np.int64(s) << 32) | np.int64(s)
            filled += 1
    return pairs, filled


@kernel
def _compose(pairs, low, high, delta, c, at):  # pragma: no cover
    """Write the function of pairs[low:high], followed by byte class c, from `at` on; returns where it ends."""
    for p in range(low, high):
        to = delta[pairs[p] & 0xFFFFFFFF, c]
        if to:
            pairs[at] = (pairs[p] >> 32 << 32) | np.int64(to)
            at += 1
    return at


@kernel
def _with_row(step, count):  # pragma: no cover
    """The table of compositions with a row for each of `count` functions."""
    if count <= len(step):
        return step
    bigger = np.full((2 * len(step), step.shape[1]), -1, np.int32)
    for f in range(len(step)):
        for c in range(step.shape[1]):
            bigger[f, c] = step[f, c]
    return bigger
