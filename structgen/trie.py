"""The prefix tree of a vocabulary, laid out in preorder.

Walking the tree visits every prefix of every token once; `end` jumps over a subtree that cannot matter. Tokens that
spell the same bytes share a node.

Axes: M nodes (0 is the root), T spelled tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Trie:
    """symbol, depth: [M] byte on the edge into the node and its depth; end: [M] where its subtree ends;
    node_of: [V] the node that spells each id, 0 for ids that spell nothing."""

    symbol: NDArray[np.uint8]
    depth: NDArray[np.int32]
    end: NDArray[np.int32]
    node_of: NDArray[np.int32]


def build_trie(buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Trie:
    """The tree of all ids that spell at least one byte."""
    ids = np.flatnonzero(np.diff(offsets))
    raw = buffer.tobytes()
    spelled = [raw[offsets[i] : offsets[i + 1]] for i in ids]
    order = ids[sorted(range(len(ids)), key=spelled.__getitem__)]
    return Trie(*_preorder(buffer, offsets, order))


@nb.njit(cache=True)
def _preorder(buffer, offsets, order):  # pragma: no cover
    """Insert the tokens in lexicographic order: each shares with its predecessor the path of their common prefix."""
    capacity, deepest = 1, 1
    for v in order:
        capacity += offsets[v + 1] - offsets[v]
        deepest = max(deepest, offsets[v + 1] - offsets[v])
    symbol, depth = np.zeros(capacity, np.uint8), np.zeros(capacity, np.int32)
    end, node_of = np.zeros(capacity, np.int32), np.zeros(len(offsets) - 1, np.int32)
    path = np.zeros(deepest + 1, np.int32)
    nodes, level, previous, length = 1, 0, 0, 0
    for v in order:
        begin, size, common = offsets[v], offsets[v + 1] - offsets[v], 0
        while common < size and common < length and buffer[begin + common] == buffer[previous + common]:
            common += 1
        while level > common:
            end[path[level]] = nodes
            level -= 1
        for j in range(common, size):
            symbol[nodes], depth[nodes] = buffer[begin + j], j + 1
            level += 1
            path[level] = nodes
            nodes += 1
        node_of[v] = path[level]
        previous, length = begin, size
    while level > 0:
        end[path[level]] = nodes
        level -= 1
    end[0] = nodes
    return symbol[:nodes].copy(), depth[:nodes].copy(), end[:nodes].copy(), node_of
