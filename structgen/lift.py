"""From bytes to tokens: the automaton that accepts the tokenizations of what a byte automaton accepts.

Reading a token's bytes moves each state of the byte automaton somewhere: the token *is* a partial function from states
to states, and two tokens with the same function are one class. So the classes come first, and no state is walked on
its own. One walk over the prefix tree composes functions along the way; each distinct function is computed once per
distinct (prefix function, byte class) pair and found by its digest ever after. A JSON schema on 262,144 tokens meets a
few thousand pairs, and what remains is one table look-up for each node of the tree.

Functions are stored sparsely, as (state, state) pairs: most tokens fit into few states.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from structgen.automata.crawl import MAX_EDGES
from structgen.automata.minimize import minimize
from structgen.automata.nfa import FIRST_TOKEN, Ints, too_large
from structgen.automata.tables import Table, merged
from structgen.vocabulary import Vocabulary
from structgen_engine.automaton import Dfa

MAX_PAIRS = 30_000_000  # of all functions together, 8 bytes each
MAX_CELLS = 100_000_000  # of a transition table, 4 bytes each


def lift(table: Table, vocabulary: Vocabulary, tokens: tuple[str, ...] = ()) -> Dfa:
    """The minimal token automaton of `table`, whose symbols from FIRST_TOKEN on are the special `tokens`.

    It accepts ids v1 … vn if and only if the byte automaton accepts the bytes they spell (Koo, Liu and He,
    "Automata-based constraints for language model decoding", 2024, for the lift itself). Raises Unsupported where
    the tables would not fit into memory.
    """
    if len(table.accepting) * table.classes > MAX_CELLS:
        raise too_large(MAX_CELLS, "cells (states times classes of bytes)")
    trie = vocabulary.trie
    node_function, offsets, sources, targets = _functions(
        table.delta(), table.class_of[:FIRST_TOKEN], trie.symbol, trie.depth, trie.end, MAX_PAIRS, MAX_CELLS
    )
    if not len(offsets):
        raise too_large(MAX_PAIRS, "moves by tokens")
    class_of = node_function[trie.node_of]
    class_of[trie.node_of == 0] = 0
    label = np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))
    used = np.zeros(len(offsets) - 1, bool)
    used[class_of] = True
    used[0] = False
    keep = used[label]
    edges = [sources[keep], label[keep], targets[keep]]
    if len(edges[0]) > MAX_EDGES:
        raise too_large(MAX_EDGES, "edges")
    classes = len(offsets) - 1
    for index, name in enumerate(tokens):
        if name in vocabulary.special:
            class_of[vocabulary.special[name]] = classes
            symbol_edges = table.label == table.class_of[FIRST_TOKEN + index]
            columns = (table.source, np.full(len(table.source), classes, np.int32), table.target)
            edges = [
                np.concatenate([edge, col[symbol_edges]]) for edge, col in zip(edges, columns, strict=True)
            ]
            classes += 1
    return _minimal(edges, class_of, classes, table)


def _minimal(edges: list[Ints], class_of: Ints, classes: int, table: Table) -> Dfa:
    """Minimise at token level: byte states that only tell apart the middles of tokens merge."""
    source, label, target = edges
    small = merged(*minimize(source, label, target, table.accepting, 1), class_of=class_of, classes=classes)
    if len(small.accepting) * small.classes > MAX_CELLS:
        raise too_large(MAX_CELLS, "cells (states times classes of tokens)")
    return small.dfa()


@nb.njit(cache=True)
def _functions(
    delta: Ints, class_of: Ints, symbol: NDArray[np.uint8], depth: Ints, end: Ints, most: int, cells: int
) -> tuple[Ints, NDArray[np.int64], Ints, Ints]:  # pragma: no cover
    """The function of every node: number by node, and the pairs of each. 0 is nowhere defined, 1 the identity.

    Empty where the functions would have more than `most` pairs, or their compositions more than `cells`.
    """
    states, classes, nodes = delta.shape[0], delta.shape[1], len(symbol)
    function_of = np.zeros(nodes, np.int32)
    offsets = np.zeros(1025, np.int64)
    sources, targets = np.empty(max(4096, 2 * states), np.int32), np.empty(max(4096, 2 * states), np.int32)
    digests = np.zeros(1024, np.uint64)
    step = np.full((1024, classes), -1, np.int32)
    buckets, mask = np.zeros(4096, np.int32), np.uint64(4095)
    for s in range(1, states):
        sources[s - 1], targets[s - 1] = s, s
    offsets[1], offsets[2], functions = 0, states - 1, 2
    step[0, :] = 0
    path = np.zeros(depth.max() + 2, np.int32)
    path[0], node = 1, 1
    while node < nodes:
        f, c = path[depth[node] - 1], class_of[symbol[node]]
        g = step[f, c]
        if g < 0:
            filled, low, high = offsets[functions], offsets[f], offsets[f + 1]
            if filled > most or functions * classes > cells:
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
