"""Blocks: sets of token classes as runs in an order in which they have few, and a tree of sums over the classes.

A lazy automaton's sets are large and alike: the tokens that go on with a name are all word-like classes but a few, from
each state another few. In an order in which classes that lie in the same large sets are neighbours, such a set is a
few runs, and a run is a few nodes of a binary tree. SQL's 2,359 sets have 402,958 members and 15,002 nodes. Nothing is
subtracted, so a sum over nodes is as exact as one over members.

Axes: K classes, G sets, L leaves, a power of two.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from structgen_engine.jit import kernel

Array = NDArray[Any]

DENSE = 8  # members for each class, from which on a tree is worth while


class Blocks(NamedTuple):
    """Sets of classes as nodes of a binary tree: node h < inner has the children 2h and 2h + 1. Without a tree
    (inner is 0) the nodes are the classes.

    leaf: [K] the node of each class; offsets: [G + 1], set g is node[offsets[g] : offsets[g + 1]]; inner: L, or 0
    """

    leaf: Array
    offsets: Array
    node: Array
    inner: int


def plain(offsets: Array, member: Array, classes: int) -> Blocks:
    """Sets without a tree: those of set g are member[offsets[g] : offsets[g + 1]]."""
    return Blocks(np.arange(classes), offsets.astype(np.int64), member.astype(np.int64), 0)


def blocks_of(offsets: Array, member: Array, classes: int, dense: int = DENSE) -> Blocks:
    """The same sets with a tree, if they have so many members for each class."""
    given = plain(offsets, member, classes)
    if len(member) < dense * classes:
        return given
    largest = np.argsort(-np.diff(given.offsets), kind="stable")
    inner = 1 << (classes - 1).bit_length()
    leaf = np.empty(classes, np.int64)
    leaf[_ordered(largest, given.offsets, given.node, classes)] = np.arange(inner, inner + classes)
    at, node = _covers(given.offsets, leaf[given.node], inner)
    return Blocks(leaf, at, node, inner)


@kernel(nogil=True)
def _ordered(largest: Array, offsets: Array, member: Array, classes: int) -> Array:
    """The classes, sorted by whether the largest set holds them, then the second largest: a radix sort."""
    order, other, held = np.arange(classes), np.empty(classes, np.int64), np.zeros(classes, np.bool_)
    for k in range(largest.size - 1, -1, -1):
        low, high = offsets[largest[k]], offsets[largest[k] + 1]
        if high - low < 2:
            continue
        for j in range(low, high):
            held[member[j]] = True
        first, then = 0, high - low
        for c in order:
            if held[c]:
                other[first] = c
                first += 1
            else:
                other[then] = c
                then += 1
        for j in range(low, high):
            held[member[j]] = False
        order, other = other, order
    return order


@kernel(nogil=True)
def _covers(offsets: Array, leaf: Array, inner: int) -> tuple[Array, Array]:
    """Where each set's nodes begin, and these nodes: the highest that hold members alone."""
    at, node, filled = np.zeros(offsets.size, np.int64), np.empty(leaf.size, np.int64), 0
    held, here, above = np.zeros(2 * inner, np.bool_), np.empty(inner, np.int64), np.empty(inner, np.int64)
    for g in range(offsets.size - 1):
        low, high, count = 2 * inner, 0, 0
        for k in range(offsets[g], offsets[g + 1]):
            held[leaf[k]] = True
            low, high = min(low, leaf[k]), max(high, leaf[k])
        for h in range(low, high + 1):
            if held[h]:
                here[count], held[h] = h, False
                count += 1
        while count:  # one level after the other: neighbours with the same parent become their parent
            kept, k = 0, 0
            while k < count:
                if here[k] & 1 == 0 and k + 1 < count and here[k + 1] == here[k] + 1:
                    above[kept] = here[k] >> 1
                    kept, k = kept + 1, k + 2
                else:
                    node[filled] = here[k]
                    filled, k = filled + 1, k + 1
            here, above, count = above, here, kept
        at[g + 1] = filled
    return at, node[:filled].copy()


@kernel(nogil=True)
def summed(blocks: Blocks, weight: Array, out: Array) -> None:
    """out[g] = Σ over the classes of set g of their weights, in plain numbers."""
    leaf, offsets, node, inner = blocks
    if inner == 0:
        for g in range(offsets.size - 1):
            total = 0.0
            for k in range(offsets[g], offsets[g + 1]):
                total += weight[node[k]]
            out[g] = total
        return
    tree = np.zeros(2 * inner)
    for c in range(leaf.size):
        tree[leaf[c]] = weight[c]
    for h in range(inner - 1, 0, -1):
        tree[h] = tree[2 * h] + tree[2 * h + 1]
    for g in range(offsets.size - 1):
        total = 0.0
        for k in range(offsets[g], offsets[g + 1]):
            total += tree[node[k]]
        out[g] = total


@kernel(nogil=True)
def highest(blocks: Blocks, value: Array, out: Array) -> None:
    """out[g] = the maximum over the classes of set g of their values."""
    leaf, offsets, node, inner = blocks
    tree = np.full(max(leaf.size, 2 * inner), -np.inf)
    for c in range(leaf.size):
        tree[leaf[c]] = value[c]
    for h in range(inner - 1, 0, -1):
        tree[h] = max(tree[2 * h], tree[2 * h + 1])
    for g in range(offsets.size - 1):
        top = -np.inf
        for k in range(offsets[g], offsets[g + 1]):
            top = max(top, tree[node[k]])
        out[g] = top


@kernel(nogil=True)
def shared(blocks: Blocks, value: Array, out: Array) -> None:
    """out[c] = Σ over the sets that hold class c of their values [G]."""
    leaf, offsets, node, inner = blocks
    tree = np.zeros(max(leaf.size, 2 * inner))
    for g in range(offsets.size - 1):
        if value[g] != 0.0:
            for k in range(offsets[g], offsets[g + 1]):
                tree[node[k]] += value[g]
    for h in range(1, inner):
        if tree[h] != 0.0:
            tree[2 * h] += tree[h]
            tree[2 * h + 1] += tree[h]
    for c in range(leaf.size):
        out[c] = tree[leaf[c]]
