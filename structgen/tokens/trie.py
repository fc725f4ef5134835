"""The prefix tree of a vocabulary, laid out in preorder.

Walking the tree visits every distinct prefix once; `end` lets a walk skip an irrelevant subtree. Tokens that spell the
same bytes share a node.

Axes: M nodes (0 is the root), T spelled tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen.limits.first_run import announce
from structgen_engine.jit import kernel


@dataclass(frozen=True, eq=False)
class Trie:
    """A prefix tree as arrays.

    symbol, depth: [M] byte on the edge into the node and its depth; end: [M] end of its subtree
    node_of: [V] the node that spells each id, 0 for ids that spell nothing
    """

    symbol: NDArray[np.uint8]
    depth: NDArray[np.int32]
    end: NDArray[np.int32]
    node_of: NDArray[np.int32]

    @cached_property
    def parent(self) -> NDArray[np.int32]:
        """[M] the parent of each node, 0 for the root."""
        return _parents(self.depth)

    @cached_property
    def spelled(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """[T] the ids that the tree spells, sorted by their nodes, and [T] the node of each."""
        ids = np.flatnonzero(self.node_of).astype(np.int32)
        node = self.node_of[ids]
        order = np.argsort(node, kind="stable")
        return ids[order], node[order]

    @cached_property
    def tokens(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """[T] the ids of `spelled`, and [M + 1]: the ids of node m are tokens[at[m]] … tokens[at[m + 1] - 1]."""
        ids, node = self.spelled
        at = np.zeros(len(self.symbol) + 1, np.int32)
        at[1:] = np.bincount(node, minlength=len(self.symbol)).cumsum()
        return ids, at

    @cached_property
    def single(self) -> NDArray[np.bool_]:
        """[256] whether some token spells exactly that byte."""
        alone = np.zeros(256, np.bool_)
        node = self.spelled[1]
        alone[self.symbol[node[self.depth[node] == 1]]] = True
        return alone

    def of(self, some: NDArray[np.bool_]) -> Trie:
        """The tree of the ids selected by `some` [V]."""
        node_of = np.where(some, self.node_of, 0).astype(np.int32)
        keep, end = _restricted(self.parent, self.end, node_of)
        number = np.cumsum(keep, dtype=np.int32) - 1
        return Trie(
            self.symbol[keep], self.depth[keep], end, np.where(node_of, number[node_of], 0).astype(np.int32)
        )


def build_trie(buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Trie:
    """The tree of all ids that spell at least one byte."""
    announce()
    ids = np.flatnonzero(np.diff(offsets))
    raw = buffer.tobytes()
    spelled = [raw[offsets[i] : offsets[i + 1]] for i in ids]
    order = ids[sorted(range(len(ids)), key=spelled.__getitem__)]
    return Trie(*_preorder(buffer, offsets, order))


@kernel
def _preorder(buffer, offsets, order):  # pragma: no cover
    """Insert the tokens in lexicographic order: each shares the path of the common prefix with its predecessor."""
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


@kernel
def _parents(depth):  # pragma: no cover
    """The parent of every node of a tree in preorder, computed from the depths."""
    path, parent = np.zeros(depth.max() + 2, np.int32), np.zeros(len(depth), np.int32)
    for node in range(1, len(depth)):
        parent[node] = path[depth[node] - 1]
        path[depth[node]] = node
    return parent


@kernel
def _restricted(parent, end, node_of) -> Any:  # pragma: no cover
    """[M] bool, the nodes on the path to some token; and the ends of their subtrees, numbered among these nodes."""
    nodes = len(parent)
    keep = np.zeros(nodes, np.bool_)
    keep[0] = True
    for node in node_of:
        keep[node] = True
    for node in range(nodes - 1, 0, -1):
        if keep[node]:
            keep[parent[node]] = True
    before = np.zeros(nodes + 1, np.int32)
    for node in range(nodes):
        before[node + 1] = before[node] + keep[node]
    ends, filled = np.empty(before[nodes], np.int32), 0
    for node in range(nodes):
        if keep[node]:
            ends[filled] = before[end[node]]
            filled += 1
    return keep, ends
